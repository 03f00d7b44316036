"""A double of an embeddings endpoint as OpenAI has it: words of a text hashed into a vector,
words that mean the same into the same place."""

import hashlib
import math
import re

from doubles.vendor_double import Answer, VendorDouble

DIMENSIONS = 64
# Enough meaning for a paraphrase that shares no word with its page.
SAME = {"screen": "monitor", "display": "monitor", "turns": "goes", "black": "dark"}


def vector(text, dimensions=DIMENSIONS):
    found = [0.0] * dimensions
    for word in re.findall(r"[a-z]+", text.lower()):
        digest = hashlib.sha256(SAME.get(word, word).encode()).digest()
        found[int.from_bytes(digest[:4], "big") % dimensions] += 1 if digest[4] % 2 else -1
    if not any(found):
        found[0] = 1.0
    length = math.sqrt(sum(x * x for x in found))
    return [x / length for x in found]


class EmbeddingsDouble(VendorDouble):
    key = "sk-test-key"

    def __init__(self):
        super().__init__()
        self.dimensions = DIMENSIONS
        self.routes = [("POST", r"/v1/embeddings", self.embed)]

    def refuse(self, request):
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return Answer(401, {"error": {"message": "Incorrect API key"}})
        return None

    def embed(self, request):
        body = request.json()
        return Answer(200, {"object": "list", "model": body["model"], "data": [
            {"object": "embedding", "index": i, "embedding": vector(t, self.dimensions)}
            for i, t in enumerate(body["input"])]})

    def texts(self):
        return [t for r in self.seen("POST") for t in r.json()["input"]]
