"""Make a C string of the store's script: embed_lua.py INPUT OUTPUT."""

import sys


def quoted(line):
    text = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
    return '\t"%s\\n"\n' % text.replace("\t", "\\t")


def main(source, target):
    with open(source, encoding="ascii") as file:
        lines = [line for line in file if not line.lstrip().startswith("--")]
    with open(target, "w", encoding="ascii") as file:
        file.write('#include "link/coordination/redis_private.h"\n\n')
        file.write("const char redis_store_script[] =\n")
        file.writelines(quoted(line) for line in lines if line.strip())
        file.write("\t;\n")


main(sys.argv[1], sys.argv[2])
