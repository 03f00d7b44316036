#!/usr/bin/env python3
"""The tables of words as C: embed.py OUTPUT TEXT... Comments and empty lines stay behind."""
import sys

lines = [line.strip() for path in sys.argv[2:] for line in open(path, encoding="utf-8")]
lines = [line for line in lines if line and not line.startswith("#")]
for line in lines:
    if not line.isascii() or '"' in line or "\\" in line:
        sys.exit(f"{line!r}: plain ASCII without quotes, please")
with open(sys.argv[1], "w", encoding="utf-8") as out:
    out.write("/* Made by embed.py. */\n#include \"servers/playbooks/security_words.h\"\n\n")
    out.write("const char security_words[] =\n")
    out.write("\n".join(f'\t"{line}\\n"' for line in lines))
    out.write(";\nconst size_t security_words_length = sizeof security_words - 1;\n")
