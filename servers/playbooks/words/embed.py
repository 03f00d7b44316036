#!/usr/bin/env python3
"""words/security.txt as C: embed.py TEXT OUTPUT. Comments and empty lines stay behind."""
import sys

lines = [line.strip() for line in open(sys.argv[1], encoding="utf-8")]
lines = [line for line in lines if line and not line.startswith("#")]
for number, line in enumerate(lines):
    if not line.isascii() or '"' in line or "\\" in line:
        sys.exit(f"{sys.argv[1]}: {line!r}: plain ASCII without quotes, please")
with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write("/* Made by embed.py. */\n#include \"servers/playbooks/security_words.h\"\n\n")
    out.write("const char security_words[] =\n")
    out.write("\n".join(f'\t"{line}\\n"' for line in lines))
    out.write(";\nconst size_t security_words_length = sizeof security_words - 1;\n")
