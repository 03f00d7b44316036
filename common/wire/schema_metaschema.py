#!/usr/bin/env python3
"""Write JSON files as a NULL-terminated C table of their texts.

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
            texts.append(json.dumps(json.load(f), separators=(",", ":")))
    with open(output, "w", encoding="ascii") as f:
        f.write('/* Written by schema_metaschema.py from metaschema/. */\n'
                '#include "wire/schema_metaschema.h"\n\n'
                "#include <stddef.h>\n\n"
                "const char *const schema_metaschemas[] = {\n")
        for text in texts:
            f.write(literal(text) + ",\n")
        f.write("\tNULL,\n};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
