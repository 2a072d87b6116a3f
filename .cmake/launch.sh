# shellcheck shell=bash
# What ./distlab and .ci/test share: packages, configuring, building, one line of progress.
# Expects $top, the top of the source tree. Everything said goes to stderr.
#
# Exit codes: 69 this machine lacks something we could not install or write, 70 the build failed.
build=${DISTLAB_BUILD:-$top/build}
# shellcheck disable=SC2034  # used by those who read this file
release=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=g++)

# What was compiled in one checkout serves in all.
export CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1 CCACHE_ABSSTDERR=1

say() { printf 'distlab: %s\n' "$*" >&2; }

fail() {
  local code=$1
  shift
  progress_end
  say "$*"
  exit "$code"
}

# The progress line: rewritten in place on a terminal, absent elsewhere.
progress() { if [[ -t 2 ]]; then printf '\r\033[K%.76s' "distlab: $*" >&2; fi; }
progress_end() { if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi; }

trap 'progress_end; exit 130' INT

# The packages of the groups named, one per line.
packages_of() {
  local group package
  while read -r group package; do
    if [[ " $* " == *" $group "* ]]; then printf '%s\n' "$package"; fi
  done <"$top/.cmake/packages.txt"
}

missing_packages() {
  local wanted installed package
  mapfile -t wanted < <(packages_of "$@")
  # shellcheck disable=SC2016  # dpkg-query expands these itself
  installed=$(dpkg-query -W -f '${Package}=${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
  for package in "${wanted[@]}"; do
    if [[ $'\n'"$installed"$'\n' != *$'\n'"$package=installed"$'\n'* ]]; then printf '%s\n' "$package"; fi
  done
}

# Reads what apt-get says; three lines per package (fetched, unpacked, set up) make the progress.
apt_progress() {
  local line total=0 done=0
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line =~ ([0-9]+)\ newly\ installed ]] && total=$((3 * BASH_REMATCH[1]))
    [[ $line =~ ^(Get:|Unpacking|Setting up) ]] && done=$((done + 1))
    if ((total > 0 && done <= total)); then progress "installing $((100 * done / total))%"; fi
  done
}

require_packages() {
  local missing as_root=() apt
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  if ! command -v apt-get >/dev/null; then
    fail 69 "this needs Debian 12 and these packages, but there is no apt-get to install them: ${missing[*]}"
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      fail 69 "not root and no sudo; ask an administrator for: apt-get install ${missing[*]}"
    fi
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  # Old package lists name files that mirrors have dropped, so one failure earns an update and a retry.
  if ! { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && apt_install; }; then
    progress "reading the package lists"
    "${apt[@]}" update >"$build/apt-update.log" 2>&1 9>&- || true
    if ! apt_install; then
      progress_end
      tail -n 5 "$build/apt.log" >&2
      fail 69 "apt-get could not install all packages (whole output: $build/apt.log)"
    fi
  fi
  progress_end
}

apt_install() { "${apt[@]}" install --no-install-recommends "${missing[@]}" 2>&1 9>&- | apt_progress >"$build/apt.log"; }

# Makes the build directory and takes the lock that keeps two launches apart.
open_build() {
  if ! mkdir -p "$build" 2>/dev/null || ! { : >>"$build/.lock"; } 2>/dev/null; then
    fail 69 "cannot write to $build; set DISTLAB_BUILD to a directory of your own"
  fi
  # ccache gives up without a home to write to.
  if [[ ! -w ${XDG_CACHE_HOME:-${HOME-}/.cache} && ! -w ${HOME:-/nowhere} ]]; then export CCACHE_DIR=$build/ccache; fi
  exec 9>>"$build/.lock"
  if ! flock -n 9; then
    progress "waiting for another distlab to finish building"
    flock 9
  fi
}

close_build() { exec 9>&-; }

# True when DIR is configured for this tree, by whatever options.
configured() { [[ -f $1/build.ninja && $(head -n 1 "$1/.configured" 2>/dev/null) == "$top" ]]; }

# configure DIR OPTION...: runs cmake unless DIR is configured for this tree with these options.
configure() {
  local dir=$1 stamp
  shift
  stamp=$(printf '%s\n' "$top" "$@")
  if configured "$dir" && [[ $(<"$dir/.configured") == "$stamp" ]]; then return; fi
  progress "configuring"
  mkdir -p "$dir"
  rm -rf "$dir/CMakeCache.txt" "$dir/CMakeFiles" "$dir/.configured" # a moved checkout confuses cmake
  if ! cmake -S "$top" -B "$dir" -G Ninja "$@" >"$dir/configure.log" 2>&1 9>&-; then
    progress_end
    cat "$dir/configure.log" >&2
    fail 70 "configuring failed (directory $dir)"
  fi
  printf '%s\n' "$stamp" >"$dir/.configured"
}

# Keeps the edges ninja reports out of the log and turns them into progress.
ninja_progress() {
  local line
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+/[0-9]+)\] ]]; then
      progress "building ${BASH_REMATCH[1]}"
    else
      printf '%s\n' "$line"
    fi
  done
}

# build_targets DIR TARGET...: on failure shows what the compiler said, without its command line.
build_targets() {
  local dir=$1
  shift
  if ! NINJA_STATUS='[%f/%t] ' ninja -C "$dir" -j "$(nproc)" "$@" 2>&1 9>&- | ninja_progress >"$dir/build.log"; then
    progress_end
    sed -e '/^ninja: \(Entering\|build stopped\)/d' -e '/^FAILED: /{n;d;}' "$dir/build.log" >&2
    return 1
  fi
  progress_end
}
