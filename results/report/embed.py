"""Writes a C++ file that holds other files' bytes as functions.

usage: embed.py OUT.cc HEADER NAMESPACE NAME=FILE[,FILE...]...
"""
import pathlib
import sys


def main():
    out, header, namespace = sys.argv[1:4]
    lines = [f'#include "{header}"', "", f"namespace {namespace} {{", ""]
    for argument in sys.argv[4:]:
        name, files = argument.split("=", 1)
        data = b"".join(pathlib.Path(file).read_bytes() for file in files.split(","))
        lines.append(f"static const unsigned char {name}_bytes[] = {{")
        lines += [",".join(map(str, data[i:i + 64])) + "," for i in range(0, len(data), 64)]
        lines += ["};", f"std::string_view {name}() {{",
                  f"  return {{reinterpret_cast<const char*>({name}_bytes), sizeof {name}_bytes}};", "}", ""]
    lines.append(f"}}  // namespace {namespace}")
    pathlib.Path(out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
