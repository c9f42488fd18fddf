#!/usr/bin/env bash
# Makes .tools/bin/chromium for the tests that open the report: a Chromium or Chrome of the machine when it
# works, otherwise Debian's, unpacked (not installed) into .tools/chromium with the libraries and the font
# that the machine lacks. Needs no root. A machine without either gets no browser: the browser tests then
# say that they are skipped, and everything else goes on.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

HOME_OF_BROWSER="$TOOLS/chromium"
LAUNCHER="$TOOLS/bin/chromium"

# works COMMAND: can it render a page without a display?
works() {
    local profile ok=1
    profile="$(mktemp -d "$TOOLS/browser_profile.XXXXXX")"
    timeout 60 "$1" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$profile" --dump-dom 'data:text/html,<p>omics</p>' 2>"$TOOLS/browser.log" |
        grep -q '<p>omics</p>' && ok=0
    rm -rf "$profile"
    return $ok
}

system_browser() {
    local name candidate
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        candidate="$(type -P "$name" || true)"
        [[ -n "$candidate" && "$candidate" != "$LAUNCHER" ]] || continue
        if works "$candidate"; then
            echo "$candidate"
            return
        fi
    done
}

# Debian's chromium with what it needs and the machine lacks, and a font, in folder $1.
unpack_debian_chromium() {
    local into="$1"
    debian_unpack "$into" chromium fonts-dejavu-core || return 1
    rm -rf "$into"/usr/share/{doc,icons,locale,man} # 90 MB that no headless browser reads
    # A font that is on the machine already is not among the downloads; fontconfig looks in both places.
    mkdir -p "$into/fontconfig" "$into/home"
    cat >"$into/fontconfig/fonts.conf" <<'END'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">../usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>DejaVu Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
END
}

write_launcher() {
    cat >"$TOOLS/chromium.tmp"
    install_file "$TOOLS/chromium.tmp" "$LAUNCHER"
    rm -f "$TOOLS/chromium.tmp"
}

# Playwright steers the browser with a node of its own, which needs one library that a bare Debian lacks.
# .tools/bin/playwright-node starts it with that library; tests/conftest.py names it to Playwright.
setup_driver() {
    local node
    node="$(cd "$TOOLS" && ls -d venv/lib/python3*/site-packages/playwright/driver/node)" || return 1
    rm -rf "$TOOLS/bin/playwright-node"
    "$TOOLS/$node" --version >/dev/null 2>&1 && return
    debian_unpack "$TOOLS/node_libraries" libatomic1 || return 1
    cat >"$TOOLS/node.tmp" <<END
#!/bin/sh
tools="\$(cd "\${0%/*}/.." && pwd)"
for folder in "\$tools"/node_libraries/usr/lib/*-linux-gnu; do
    export LD_LIBRARY_PATH="\$folder\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
done
exec "\$tools/$node" "\$@"
END
    install_file "$TOOLS/node.tmp" "$TOOLS/bin/playwright-node"
    rm -f "$TOOLS/node.tmp"
    "$TOOLS/bin/playwright-node" --version >/dev/null 2>&1
}

without_browser() {
    rm -rf "$HOME_OF_BROWSER.new" "$LAUNCHER"
    say "no browser: $1. The tests that open the report in a browser will be skipped."
    exit 0
}

one_at_a_time browser
key="$(digest "${BASH_SOURCE[0]}")"
if stamp_is browser "$key" && "$LAUNCHER" --version >/dev/null 2>&1; then
    exit 0
fi

stamp_clear browser
found="$(system_browser)"
if [[ -n "$found" ]]; then
    write_launcher <<END
#!/bin/sh
exec '$found' "\$@"
END
else
    has_apt ||
        without_browser "none on PATH, and this is no Debian to fetch one from; install chromium to run them"
    say "fetching Chromium for the browser tests (about 100 MB; it is unpacked into .tools, not installed)"
    rm -rf "$HOME_OF_BROWSER.new"
    unpack_debian_chromium "$HOME_OF_BROWSER.new" ||
        without_browser "Debian's chromium could not be fetched (the message stands above)"
    rm -rf "$HOME_OF_BROWSER"
    mv "$HOME_OF_BROWSER.new" "$HOME_OF_BROWSER"
    write_launcher <<'END'
#!/bin/sh
# Debian's chromium as unpacked by tools/setup_browser.sh, with the libraries that came with it.
root="$(cd "${0%/*}/../chromium" && pwd)"
libraries="$root/usr/lib/chromium"
for folder in "$root"/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu/pulseaudio; do
    [ -d "$folder" ] && libraries="$libraries:$folder"
done
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export FONTCONFIG_FILE="$root/fontconfig/fonts.conf"
# It keeps certificates, caches and crash reports under HOME; that stays in the checkout too.
export HOME="$root/home" XDG_CACHE_HOME="$root/home/.cache" XDG_CONFIG_HOME="$root/home/.config"
exec "$root/usr/lib/chromium/chromium" "$@"
END
    works "$LAUNCHER" || without_browser "the one that was fetched does not start; its output is in $TOOLS/browser.log"
fi
setup_driver || without_browser "Playwright's driver does not start"
stamp_write browser "$key"
say "browser ready: $("$LAUNCHER" --version 2>/dev/null | head -n 1)"
