#!/bin/sh
# Builds hawser and lets its two programs talk to each other.
#
#     sh examples/quickstart.sh            a conversation, then the server is stopped
#     sh examples/quickstart.sh --serve    the server goes on, for a browser, until Ctrl-C
#
# On Debian and Ubuntu it installs a C compiler, make and CMake when they are missing, which needs
# root or sudo. It writes into build-quickstart/ only.
set -eu

server=
scratch=

fail() {
    echo "quickstart: $*" >&2
    exit 1
}

# Only ever ends the server that this script started. A signal during the cleanup starts no second.
clean_up() {
    trap '' INT TERM HUP
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || :
        wait "$server" 2>/dev/null || :
    fi
    [ -z "$scratch" ] || rm -rf "$scratch"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "$1 needs root: run this as root, or install sudo."
    fi
}

# What CMake picks without being told.
have_tools() {
    command -v cmake >/dev/null && command -v make >/dev/null &&
        { command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null; }
}

install_tools() {
    have_tools && return
    command -v apt-get >/dev/null ||
        fail "Install a C compiler, make and CMake (3.20 or newer), then run this again."
    echo "Installing gcc, make and cmake ..."
    as_root apt-get update || fail "apt-get update failed: is there a network?"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends gcc libc6-dev make cmake ||
        fail "The packages could not be installed: see above."
}

build() {
    echo "Building hawser in $build ..."
    cmake -S . -B "$build" -DHAWSER_BUILD_TESTS=OFF -DHAWSER_BUILD_EXAMPLES=ON ||
        fail "CMake could not set up the build: see above."
    cmake --build "$build" || fail "The build failed: see above."
}

# The system chooses a free port; the first line of the server names it.
start_server() {
    scratch=$(mktemp -d) || fail "There is no room for a temporary file."
    "$build/examples/hawser-echo" --port 0 >"$scratch/line" &
    server=$!
    tries=0
    until url=$(sed -n 's/^hawser-echo listens on //p' "$scratch/line") && [ -n "$url" ]; do
        kill -0 "$server" 2>/dev/null || fail "The server did not start: see above."
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || fail "The server does not say that it listens."
        sleep 0.1
    done
}

# Prints a command as one would type it, and runs it.
show() {
    printf '\n$'
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    "$@" || fail "That did not work."
}

converse() {
    cat="$build/examples/hawser-cat"
    printf '\n$ %s --port 0 &\n' "$build/examples/hawser-echo"
    cat "$scratch/line"
    show "$cat" --send hello --send 'Ahoy, ship!' "$url"
    show "$cat" --binary LICENSE "$url"
}

main() {
    [ $# -eq 0 ] || [ "$*" = --serve ] || { echo "usage: sh $0 [--serve]" >&2; exit 2; }
    cd "$(dirname "$0")/.." || fail "The source tree is not there."
    build=build-quickstart
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    install_tools
    build
    start_server
    converse
    page="http://${url#ws://}"
    if [ $# -eq 0 ]; then
        printf '\nAll well. The server has a page for browsers too: to try it, start\n'
        printf '\n    sh %s --serve\n\nand open the URL that it names (this time it was %s).\n' \
            "examples/quickstart.sh" "$page"
        return
    fi
    printf '\nOpen %s in a browser. Ctrl-C stops the server.\n' "$page"
    trap 'exit 0' INT TERM
    wait "$server"
}

main "$@"
