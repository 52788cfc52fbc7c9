#!/bin/bash
# run.sh BIN personal
export POSTROOM_STORE=/tmp/hp/s$2.db POSTROOM_ACCOUNTS=/tmp/hp/accounts.toml
rm -rf /tmp/hp/s$2.db*
exec /usr/bin/time -f "%e s  user %U sys %S  maxrss %M KB" $1 plan /tmp/hp/c$2 --json > /tmp/hp/out$2.json
