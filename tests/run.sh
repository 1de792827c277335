#!/bin/sh
# Builds hawser and runs all of its tests: one command, on a fresh Debian 12 or Ubuntu 22.04 or
# later, as root or with sudo. It installs what is missing. The last lines are the summary of all.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-suite

packages='gcc g++ make cmake ninja-build pkg-config libcmocka-dev clang clang-format libclang-rt-dev
    valgrind python3 libwslay-dev libboost-dev libwebsocketpp-dev gcc-aarch64-linux-gnu
    libc6-dev-arm64-cross qemu-user zlib1g-dev libssl-dev libuv1-dev openssl'
packages="$packages $(sed 's/#.*//' "$root/tests/interop/packages.txt")"

say() {
    printf '== %s %s\n' "$(date +%H:%M:%S)" "$*"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Prints the packages of the list that are not installed.
not_installed() {
    for package in $(printf '%s\n' $packages | sort -u); do
        case $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true) in
        ii*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# Whether this machine's archive has a package that can be used here.
is_available() {
    case $package in
    chromium*)
        # Ubuntu's packages of these names only fetch a snap.
        ! grep -q '^ID=ubuntu' /etc/os-release || return 1
        ;;
    libclang-rt-dev)
        # Where it does not exist, clang brings the same files.
        apt-cache show "$package" >/dev/null 2>&1 || return 2
        ;;
    esac
    apt-cache show "$package" >/dev/null 2>&1
}

# Debian starts the services that it installs unless this file says no. Here nginx and HAProxy are
# only to be there: the tests start their own, and port 80 may be taken.
install_without_services() (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 1' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
)

install_packages() {
    missing=$(not_installed)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "These packages are missing, and only root can install them: $missing"
        return 1
    fi
    say "Installing $missing"
    as_root apt-get update -qq || return 1
    wanted=
    complete=0
    for package in $missing; do
        is_available "$package" && found=0 || found=$?
        case $found in
        0) wanted="$wanted $package" ;;
        1)
            say "This machine cannot install $package: what needs it will be skipped."
            complete=1
            ;;
        esac
    done
    # The names are words of their own.
    # shellcheck disable=SC2086
    [ -z "$wanted" ] || install_without_services $wanted || return 1
    return $complete
}

# Where all tools could be installed, a test that misses one fails; elsewhere it is skipped.
strict=ON
if ! command -v apt-get >/dev/null; then
    say 'There is no apt-get here: tests that miss their tools will be skipped.'
    strict=OFF
elif ! install_packages; then
    say 'Not everything could be installed: tests that miss their tools will be skipped.'
    strict=OFF
fi

rm -rf "$build"
mkdir -p "$build"
say 'Setting up the peers of the interoperability tests.'
if ! sh "$root/tests/interop/setup.sh" "$build"; then
    say 'Not all of them could be set up: their tests will be skipped.'
    strict=OFF
fi

if command -v ninja >/dev/null; then
    export CMAKE_GENERATOR=Ninja
fi
say "Building in $build."
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DHAWSER_WERROR=ON \
    -DHAWSER_TEST_MATRIX=ON -DHAWSER_TEST_STRICT=$strict
cmake --build "$build" --parallel

say 'Running all tests; those with sanitizers and valgrind take some minutes each.'
cd "$build"
ctest --output-on-failure --no-tests=error --parallel 4
