#!/bin/bash
# Installs the Debian packages that are missing: a browser, Chinese fonts (Hanazono for rare
# characters), a reader of PDF, and the servers for the tests with separate processes.
set -euo pipefail
need=(chromium fonts-noto-cjk fonts-lxgw-wenkai fonts-hanazono poppler-utils redis-server etcd-server)
missing=()
for p in "${need[@]}"; do
  dpkg -s "$p" >/dev/null 2>&1 || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=""
if [ "$(id -u)" != 0 ]; then
  sudo=sudo
fi
# Servers are started by the tests, on ports of their own, not by the system.
printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d >/dev/null
trap '$sudo rm -f /usr/sbin/policy-rc.d' EXIT
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"
