"""Fails when a file includes what its room must not use (design: one table of rooms).

usage: walls.py TOP FILE...      check these files
       walls.py TOP              check every source file below TOP
"""
import os
import pathlib
import re
import sys

ROOMS = ("models", "sim", "real", "scenarios", "results", "cli")
SOURCE_SUFFIXES = (".h", ".cc")
# Files the compiler might be given under a name this check does not look for.
STRAY_SUFFIXES = (".c", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".inc", ".inl", ".ipp", ".tcc", ".ixx", ".cppm")

# Rooms of this project a file in the room may include, most specific room first.
OWN = {
    "models/host": ["models/host"],
    "models/etf": ["models/host", "models/etf"],
    "models/dist": ["models/host", "models/etf", "models/dist"],
    "models/epmd": ["models/host", "models/epmd"],
    "models/carrier": ["models/host", "models/epmd", "models/carrier"],
    "models/quic": ["models/host", "models/quic"],
    "models/mesh": ["models/host", "models/quic", "models/mesh"],
    "models/tunnel": ["models/host", "models/mesh", "models/carrier", "models/tunnel"],
    "models/gateway": ["models/host", "models/etf", "models/dist", "models/epmd", "models/carrier", "models/gateway"],
    "models/process": ["models/host", "models/etf", "models/dist", "models/process"],
    "models": ["models"],
    "sim": ["sim", "models", "scenarios", "results"],
    # Only the emu ground reaches into sim; the daemons beside it must never link ns-3.
    "real/emu": ["real", "models", "scenarios", "results", "sim"],
    "real/lab": ["real/lab"],
    "real/daemon": ["real/daemon", "real/asio_host.h", "real/asio_impl.h", "models", "scenarios"],
    "real": ["real", "models", "scenarios", "results"],
    # What runs in a process of a scenario, for every ground; who only reads scenarios must not need the models.
    "scenarios/cast": ["scenarios", "models"],
    "scenarios": ["scenarios"],
    "results": ["results", "scenarios"],
    "cli": ["cli", "sim", "real", "results", "scenarios", "models"],
}
# Rooms inside an allowed one that stay closed to their neighbours.
CLOSED = {"real": ["real/emu"], "scenarios": ["scenarios/cast"], "results": ["scenarios/cast"]}

# Library and system headers that must stay out of a room: a whole name, or all below "name/".
NS3 = ["ns3", "ns3.37"]
ASIO = ["boost/asio", "boost/asio.hpp", "asio.hpp", "asio"]
SOCKETS = ["sys", "netinet", "arpa", "net", "linux", "netdb.h", "poll.h", "unistd.h", "fcntl.h"] + ASIO
CLOCKS_AND_CHANCE = ["random", "ctime", "time.h", "sys/time.h", "sys/random.h", "boost/random", "boost/random.hpp"]
THREADS = ["thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "stop_token", "semaphore",
           "latch", "barrier", "pthread.h", "semaphore.h", "boost/thread", "boost/thread.hpp"]
DATABASE = ["sqlite3.h", "SQLiteCpp"]
FILES = ["fstream", "filesystem", "yaml-cpp"] + DATABASE
FORBIDDEN = {
    "models": NS3 + SOCKETS + CLOCKS_AND_CHANCE + THREADS + FILES,
    "sim": ASIO + CLOCKS_AND_CHANCE + THREADS,
    "real/emu": ["random"],
    "real/lab": ["random"] + NS3 + ASIO + DATABASE + ["yaml-cpp"],
    "real": ["random"] + NS3,
    "scenarios/cast": NS3 + ["boost", "openssl"] + FILES + SOCKETS + CLOCKS_AND_CHANCE + THREADS,
    "scenarios": NS3 + ["boost", "openssl"] + DATABASE + SOCKETS + CLOCKS_AND_CHANCE + THREADS,
    "results": NS3 + ASIO + ["yaml-cpp"],
    "cli": NS3 + ASIO,
}
# Test programs drive a room from outside and may use the standard library freely, but not these.
OUTSIDE_TOO = {"models": NS3 + ASIO, "sim": ASIO, "scenarios/cast": NS3 + ASIO, "scenarios": NS3 + ASIO,
               "results": NS3 + ASIO}
OUTSIDE = re.compile(r"_(test|fuzz|bench)\.cc$|/testing/")

# Clocks and random devices, however they are spelled: naming one is enough, as an alias would hide the call.
CLOCKS = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock|random_device|default_random_engine"
    r"|gettimeofday|clock_gettime|timespec_get|getrandom|getentropy|RAND_(priv_)?bytes(_ex)?|drand48|srand|rand_r)\b"
    r"|\bstd::(rand|time|clock)\s*\(|\btime\s*\(\s*(nullptr|NULL)\s*\)|(?<![\w.>:])rand\s*\(\s*\)")
NO_CLOCKS = ("models", "sim", "scenarios")

INCLUDE = re.compile(r"^\s*(?:#|%:|\?\?=)\s*(include|include_next|import)\b\s*(.*?)\s*$")
NAME = re.compile(r'^(?:"([^"]+)"|<([^>]+)>)$')

# One alternative per thing that can hide another: comments, raw strings, strings, characters (not 1'000).
TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|\bR"([^()\\ ]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'", re.DOTALL)


def below(name, prefixes):
    """Is the name one of the prefixes, or does it lie below one?"""
    return any(name == prefix or name.startswith(prefix + "/") for prefix in prefixes)


def room_of(path, table):
    """The longest key of the table that the path lies below."""
    hits = [room for room in table if below(path, [room])]
    return max(hits, key=len) if hits else None


def lines_of(text):
    """The lines without comments and raw strings, spliced lines joined; line numbers are kept."""
    def blank(match):
        token = match.group()
        return "\n" * token.count("\n") + " " if token.startswith(("/", "R")) else token
    text = re.sub(r"\\[ \t]*\n", "\\\n", text)
    text = re.sub(r"((?:[^\n]*\\\n)+)([^\n]*)",
                  lambda m: m.group(1).replace("\\\n", "") + m.group(2) + "\n" * m.group(1).count("\\\n"), text)
    return TOKENS.sub(blank, text).splitlines()


def include_error(top, path, spelling):
    """Why the file must not have this include, or None."""
    own, forbidden = room_of(path, OWN), room_of(path, FORBIDDEN)
    named = NAME.match(spelling)
    if not named:
        return f"include {spelling} is not a plain name, so the walls cannot read it"
    quoted, name = named.group(1), named.group(1) or named.group(2)
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        return f'include "{name}" is not a plain path from the top of the tree'
    target = room_of(name, OWN)
    if target:
        if not below(name, OWN[own]) or below(name, CLOSED.get(own, [])):
            return f'room {own}/ must not include "{name}" (may use: {", ".join(OWN[own])})'
        if not name.endswith(".h"):
            return f'include "{name}" is not a header (.h), so the walls do not check it'
        return None
    if quoted and not (top / name).exists():
        return f'include "{name}" is not written from the top of the tree'
    closed = OUTSIDE_TOO.get(forbidden, []) if OUTSIDE.search(path) else FORBIDDEN[forbidden]
    if below(name, closed):
        return f"room {forbidden}/ must not include <{name}>"
    return None


def check(top, file):
    path = file.relative_to(top).as_posix()
    if room_of(path, OWN) is None:
        return
    if file.suffix in STRAY_SUFFIXES:
        yield f"{path}:1: source files are named .h or .cc"
    no_clocks = path.startswith(NO_CLOCKS) and not OUTSIDE.search(path)
    for number, line in enumerate(lines_of(file.read_text(errors="replace")), 1):
        if found := INCLUDE.match(line):
            error = include_error(top, path, found.group(2)) if found.group(1) == "include" else f"#{found.group(1)}"
            if error:
                yield f"{path}:{number}: {error}"
        elif no_clocks and (found := CLOCKS.search(re.sub(r'"(?:\\.|[^"\\])*"', '""', line))):
            yield f"{path}:{number}: {found.group()}: a wall clock or random device in a room without; ask Host instead"


def main():
    # Made absolute but not resolved: rooms may be reached through a symbolic link.
    top, *files = (pathlib.Path(os.path.abspath(argument)) for argument in sys.argv[1:])
    if not files:
        files = sorted(f for room in ROOMS for f in (top / room).rglob("*")
                       if f.suffix in SOURCE_SUFFIXES + STRAY_SUFFIXES)
    errors = [error for file in files for error in check(top, file)]
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
