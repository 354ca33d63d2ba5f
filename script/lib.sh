# shellcheck shell=sh disable=SC2034
# What script/server and script/test share: the packages of Debian 12 that asynwsgi needs, and how
# it is built. To be sourced from the top of the tree.

build_packages='autoconf automake gcc libc6-dev make pkg-config python3 python3-dev ragel'

test_packages='bpftrace chromium clang clang-format clang-tidy curl g++ g++-aarch64-linux-gnu git
    googletest gunicorn haproxy libclang-rt-14-dev libev-dev libgtest-dev libssl-dev liburing-dev
    libuv1-dev mandoc nghttp2-client nginx-light python3-beaker python3-bottle python3-dbg
    python3-django python3-falcon python3-flask python3-paste python3-pytest python3-requests
    python3-venv python3-waitress python3-webtest python3-werkzeug qemu-user shellcheck slowhttptest
    strace systemtap-sdt-dev uwsgi-core uwsgi-plugin-python3 valgrind wrk'

# need_packages PACKAGE...: installs those that are missing if root, and otherwise says how to.
# On a system without dpkg, it is left to configure to say what is missing.
need_packages() {
    command -v dpkg-query >/dev/null || return 0
    missing=
    for package; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "missing packages; run: sudo apt-get install -y --no-install-recommends$missing" >&2
        return 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list
    apt-get update -q && apt-get install -q -y --no-install-recommends $missing
}

# prepare DIR [CONFIGURE-OPTION...]: configures in DIR, the first time only.
prepare() {
    dir=$1
    shift
    [ -x configure ] || ./bootstrap || return
    source=$PWD
    [ -f "$dir/config.status" ] || { mkdir -p "$dir" && (cd "$dir" && "$source/configure" -q "$@"); }
}

# build DIR [CONFIGURE-OPTION...]: builds in DIR, which is configured the first time only.
build() {
    prepare "$@" && make -C "$1" -j"$(nproc)" --no-print-directory
}
