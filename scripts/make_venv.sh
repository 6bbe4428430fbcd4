#!/bin/sh
# make_venv.sh DIR: a virtual environment with pip, by whatever this machine has. Debian's python3 comes without ensurepip, so
# python3 -m venv alone does not do. PYTHON names an interpreter of your own choice.
set -eu
dir=$1

fail() {
    echo "make_venv: $*" >&2
    exit 1
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if new_enough "$dir/bin/python" && "$dir/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0 # somebody made one already
fi

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if new_enough "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed; found: $(${PYTHON:-python3} --version 2>/dev/null || echo none)." \
    "Install one, or name it: make PYTHON=/path/to/python3.12 ..."

has() { "$python" -c "import $1" 2>/dev/null; }
with_venv() { rm -rf "$dir" && "$python" -m venv "$dir"; }

if has ensurepip; then
    with_venv
elif has pip; then
    tool=.cache/virtualenv
    echo "make_venv: $python has no ensurepip: fetching virtualenv" >&2
    "$python" -m pip install -q --target "$tool" --upgrade virtualenv
    rm -rf "$dir"
    PYTHONPATH=$tool "$python" -m virtualenv -q "$dir"
elif command -v uv >/dev/null; then
    uv venv -q --clear --seed --python "$python" "$dir"
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "make_venv: $python has no ensurepip: installing python$version-venv" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "python$version-venv" >/dev/null
    with_venv
else
    fail "$python can make no virtual environment: it has neither ensurepip nor pip. On Debian: sudo apt-get install python3-venv"
fi
