"""Fails when a file includes what its room must not use (design: one table of rooms).

usage: walls.py TOP FILE...      check these files
       walls.py TOP              check every source file below TOP
"""
import pathlib
import re
import sys

# Rooms of this project a file in the room may include, most specific room first.
OWN = {
    "models/host": ["models/host"],
    "models/etf": ["models/host", "models/etf"],
    "models/dist": ["models/host", "models/etf", "models/dist"],
    "models/epmd": ["models/host", "models/epmd"],
    "models/carrier": ["models/host", "models/epmd", "models/carrier"],
    "models/process": ["models/host", "models/etf", "models/dist", "models/process"],
    "models": ["models"],
    "sim": ["sim", "models", "scenarios", "results"],
    "real": ["real", "models", "scenarios", "results", "sim"],
    "scenarios": ["scenarios"],
    "results": ["results", "scenarios"],
    "cli": ["cli", "sim", "real", "results", "scenarios", "models"],
}

# Library and system headers that must stay out of a room: a whole name, or all below "name/".
SOCKETS = ["sys/socket.h", "netinet", "arpa", "sys/epoll.h", "sys/timerfd.h", "unistd.h", "boost/asio", "boost/asio.hpp"]
CLOCKS_AND_CHANCE = ["random", "ctime", "time.h", "sys/time.h"]
THREADS = ["thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "stop_token"]
FILES = ["fstream", "filesystem", "sqlite3.h", "SQLiteCpp", "yaml-cpp"]
FORBIDDEN = {
    "models": ["ns3"] + SOCKETS + CLOCKS_AND_CHANCE + THREADS + FILES,
    "sim": ["boost/asio", "boost/asio.hpp"] + CLOCKS_AND_CHANCE + THREADS,
    "real": ["random"],
    "scenarios": ["ns3", "boost", "sqlite3.h", "SQLiteCpp", "openssl"] + SOCKETS + CLOCKS_AND_CHANCE + THREADS,
    "results": ["ns3", "boost/asio", "boost/asio.hpp", "yaml-cpp"],
    "cli": ["ns3", "boost/asio", "boost/asio.hpp"],
}

# A clock or a random device reached without a header of its own.
CLOCKS = re.compile(r"(system_clock|steady_clock|high_resolution_clock)::now|random_device|\bgettimeofday\b|\bRAND_bytes\b")
NO_CLOCKS = ("models", "sim", "scenarios")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def room_of(path, table):
    """The longest key of the table that the path lies below."""
    hits = [room for room in table if path == room or path.startswith(room + "/")]
    return max(hits, key=len) if hits else None


def check(top, file):
    path = file.resolve().relative_to(top).as_posix()
    own, forbidden = room_of(path, OWN), room_of(path, FORBIDDEN)
    if own is None:
        return
    # Test programs drive a room from outside: they may use the standard library freely.
    outside = re.search(r"_(test|fuzz|bench)\.cc$|/testing/", path) is not None
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
        where = f"{path}:{number}"
        if found := INCLUDE.match(line):
            kind, name = found.groups()
            target = room_of(name, OWN)
            if kind == '"' and target is None and not (top / name).exists():
                yield f"{where}: include \"{name}\" is not written from the top of the tree"
            elif target and not any(name.startswith(allowed + "/") for allowed in OWN[own]):
                yield f"{where}: room {own}/ must not include \"{name}\" (may use: {', '.join(OWN[own])})"
            elif not target and not outside and any(name == rule or name.startswith(rule + "/")
                                                    for rule in FORBIDDEN[forbidden]):
                yield f"{where}: room {forbidden}/ must not include <{name}>"
        elif not outside and path.startswith(NO_CLOCKS) and CLOCKS.search(line.split("//")[0]):
            yield f"{where}: a wall clock or random device in {forbidden}/; ask Host instead"


def main():
    top = pathlib.Path(sys.argv[1]).resolve()
    files = [pathlib.Path(f) for f in sys.argv[2:]]
    if not files:
        files = sorted(f for room in ("models", "sim", "real", "scenarios", "results", "cli")
                       for f in (top / room).rglob("*") if f.suffix in (".h", ".cc"))
    errors = [error for file in files for error in check(top, file)]
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
