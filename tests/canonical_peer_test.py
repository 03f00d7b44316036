"""Our canonical JSON against an implementation that is not ours.

Ten thousand random values, and some that are known to be hard, go through one run of
json-canonical and through the package rfc8785; the bytes must be the same. The seed is
printed, and WINGMAN_SEED repeats a run.
"""

import json
import os
import random
import struct
import subprocess

import tap

try:
    import rfc8785
except ImportError:
    rfc8785 = None

PROGRAM = os.path.join(os.environ["WINGMAN_BUILD"], "tests", "json-canonical")
COUNT = 10000
SAFE = 2**53 - 1

# Doubles where writers differ: ends of ranges, halves of the last digit, switches of notation.
NUMBERS = [
    0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308,
    1.7976931348623157e308, 9007199254740991.0, 9007199254740992.0, 9007199254740994.0,
    1e21, 1e20, 999999999999999900000.0, 1e-6, 1e-7, 9.999999999999997e-7, 1e23,
    9.999999999999999e22, 1.0000000000000001e23, 0.1, 0.2, 0.30000000000000004, 1 / 3,
    333333333.33333329, 4.5, 2e-3, 1e-27, 123456789012345680000.0, 5e-7, 4.35, 0.000035,
    2.5e15, 295147905179352830000.0, 1424953923781206.2,
]
CHARACTERS = ("\x00\x01\b\t\n\f\r\x1f \"\\/\x7f\x80\xa0abcz09" "\u00e9\u0394\u05d0\u20ac\u2028"
              "\u2029\ufb33\ufeff\uffff\U00010000\U0001f600\U0010ffff")


def random_number(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return rng.randint(-SAFE, SAFE)
    if kind == 1:
        return rng.randint(-1000, 1000)
    if kind == 2:
        return rng.choice(NUMBERS)
    if kind == 3:
        return round(rng.uniform(-1e6, 1e6), rng.randrange(8))
    if kind == 4:
        return float(f"{rng.randrange(10**17)}e{rng.randrange(-330, 290)}")
    while True:
        value = struct.unpack("<d", rng.randbytes(8))[0]
        if value == value and abs(value) != float("inf"):
            return value


def random_text(rng):
    return "".join(rng.choice(CHARACTERS) for _ in range(rng.randrange(8)))


def random_value(rng, depth):
    kind = rng.randrange(8 if depth else 5)
    if kind < 2:
        return random_number(rng)
    if kind < 4:
        return random_text(rng)
    if kind == 4:
        return rng.choice([None, True, False])
    if kind == 5:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(5))]
    return {random_text(rng): random_value(rng, depth - 1) for _ in range(rng.randrange(7))}


def ours(texts):
    """What json-canonical makes of each; b'' for what it refuses."""
    run = subprocess.run([PROGRAM, "--lines", "-"], input=b"".join(t + b"\n" for t in texts),
                         capture_output=True, timeout=120)
    return run.returncode, run.stdout.split(b"\n")[:-1], run.stderr


def compare(name, values, write):
    texts = [write(v).encode("utf-8") for v in values]
    status, lines, errors = ours(texts)
    if not tap.ok(f"{name}: every value is taken and answered",
                  status == 0 and len(lines) == len(values), errors[:400]):
        return
    for value, text, line in zip(values, texts, lines):
        peer = rfc8785.dumps(value)
        if line != peer:
            tap.ok(f"{name}: same bytes", False, f"in:   {text}\nours: {line}\npeer: {peer}")
            return
    tap.ok(f"{name}: {len(values)} values have the same bytes", True)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_numbers():
    compare("hard numbers", [s * n for n in NUMBERS for s in (1, -1)], compact)


def test_random():
    seed = int(os.environ.get("WINGMAN_SEED") or random.SystemRandom().randrange(2**32))
    tap.note(f"WINGMAN_SEED={seed}")
    rng = random.Random(seed)
    values = [random_value(rng, 4) for _ in range(COUNT)]
    compare("random values", values, compact)
    # The way the text was written leaves no trace.
    compare("random values in ASCII with spaces", values[:COUNT // 10],
            lambda v: json.dumps(v, ensure_ascii=True))


def reads_back(value):
    """Doubles from 2^53 to 1e21 are written as integers, which no reader may trust."""
    if isinstance(value, list):
        return all(reads_back(v) for v in value)
    if isinstance(value, dict):
        return all(reads_back(v) for v in value.values())
    return not isinstance(value, float) or not SAFE < abs(value) < 1e21


def test_canonical_stays():
    """What is canonical already does not change."""
    rng = random.Random(8785)
    values = [v for v in (random_value(rng, 4) for _ in range(2000)) if reads_back(v)]
    texts = [rfc8785.dumps(v) for v in values]
    status, lines, _ = ours(texts)
    tap.ok("canonical text stays as it is", status == 0 and lines == texts)


def test_refused():
    """Neither takes integers that doubles cannot hold; ours says so a line at a time."""
    status, lines, errors = ours([b"1", str(SAFE + 1).encode(), b"[", b"2"])
    tap.ok("a refused line is empty, the others are answered",
           status == 1 and lines == [b"1", b"", b"", b"2"], f"{lines} {errors}")


if __name__ == "__main__":
    if rfc8785:
        tap.run([test_numbers, test_random, test_canonical_stays, test_refused])
    else:
        tap.ok("canonical JSON against another implementation", False,
               "no package rfc8785 here; 'make test' installs it")
    tap.done()
