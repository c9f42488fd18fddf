# Shared by the set-up scripts; sourced, never run. After it: ROOT, TOOLS, and the functions below.
# Everything that set-up makes lies under TOOLS (.tools in the checkout), nothing elsewhere.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
TOOLS="$ROOT/.tools"
mkdir -p "$TOOLS/bin" "$TOOLS/stamps"

say() { printf '[set-up] %s\n' "$*" >&2; }

fail() {
    printf '[set-up] ERROR: %s\n' "$*" >&2
    exit 1
}

# digest FILE...: one short hash over the contents of the files.
digest() { cat "$@" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16; }

# A stamp names what a finished step was made from. It is written last, by rename, so that a step that
# was interrupted has none and is done again by the next call.
stamp_is() { [[ "$(cat "$TOOLS/stamps/$1" 2>/dev/null)" == "$2" ]]; }
stamp_clear() { rm -f "$TOOLS/stamps/$1"; }
stamp_write() {
    printf '%s\n' "$2" >"$TOOLS/stamps/.$1.$$"
    mv -f "$TOOLS/stamps/.$1.$$" "$TOOLS/stamps/$1"
}

# one_at_a_time NAME: two calls of make in one checkout wait for each other instead of mixing their files.
# The lock falls when this process ends, however it ends.
one_at_a_time() {
    command -v flock >/dev/null || return 0
    exec 9>"$TOOLS/.$1.lock"
    flock -n 9 || { say "another set-up of $1 is at work in this checkout; waiting for it"; flock 9; }
}

# install_file SOURCE TARGET: an executable file that is whole or absent.
install_file() {
    cp "$1" "$2.tmp$$"
    chmod 755 "$2.tmp$$"
    mv -f "$2.tmp$$" "$2"
}

# version_at_least HAVE WANT: dotted numbers, compared number by number.
version_at_least() {
    [[ "$(printf '%s\n%s\n' "$2" "$1" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)" == "$2" ]]
}

has_apt() { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; }

# debian_unpack FOLDER PACKAGE...: the packages, and what they need and the machine lacks, unpacked into the
# folder. apt works on lists and a cache of its own here, so that neither root nor a change to the machine is needed.
debian_unpack() {
    local into="$1" apt="$1.apt" deb
    shift
    has_apt || return 1
    rm -rf "$into" "$apt"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$into"
    # The machine's own hooks are cleared: they would act on the machine's folders.
    cat >"$apt/apt.conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
Dir::State::lists "$apt/lists";
Dir::State::extended_states "$apt/extended_states";
Dir::Cache "$apt/cache";
Dir::Log "$apt";
Debug::NoLocking "true";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Retries "1";
Acquire::http::Timeout "30";
Acquire::Languages "none";
END
    if ! apt-get -c "$apt/apt.conf" -qq update >&2 ||
        ! apt-get -c "$apt/apt.conf" -qq -y --download-only install "$@" >&2; then
        rm -rf "$apt"
        return 1
    fi
    for deb in "$apt"/cache/archives/*.deb; do
        [[ ! -e "$deb" ]] || dpkg-deb -x "$deb" "$into" || return 1
    done
    rm -rf "$apt"
}

# A machine that reaches its packages through a mirror or a proxy has told pip and the system so; uv asks
# neither of itself.
follow_pip_settings() {
    local index
    if [[ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]]; then
        index="${PIP_INDEX_URL:-$("$TOOLS/uv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}"
        [[ -z "$index" ]] || export UV_DEFAULT_INDEX="$index"
    fi
    [[ ! -e /etc/ssl/certs/ca-certificates.crt ]] || export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    [[ -n "${SSL_CERT_FILE:-}" || -z "${PIP_CERT:-}" ]] || export SSL_CERT_FILE="$PIP_CERT"
}
