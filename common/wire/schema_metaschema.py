#!/usr/bin/env python3
"""Write metaschemas as a C table of their URIs and texts.

    schema_metaschema.py OUTPUT.c FILE...
"""

import json
import sys


def literal(text):
    """'text' as C string literals, a line each."""
    lines = [text[i:i + 72] for i in range(0, len(text), 72)]
    return "\n".join('\t"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"' for s in lines)


def main(output, *paths):
    texts = []
    for path in paths:
        with open(path, encoding="ascii") as f:
            document = json.load(f)
            texts.append((document["$id"], json.dumps(document, separators=(",", ":"))))
    with open(output, "w", encoding="ascii") as f:
        f.write('/* Written by schema_metaschema.py from metaschema/. */\n'
                '#include "wire/schema_metaschema.h"\n\n'
                "#include <stddef.h>\n\n"
                "const struct schema_metaschema schema_metaschemas[] = {\n")
        for uri, text in texts:
            f.write(f'\t{{ "{uri}",\n' + literal(text) + " },\n")
        f.write("\t{ NULL, NULL },\n};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
