# SPDX-License-Identifier: MIT
# Sourced by every CASE/up:  . "${0%/*}/../lib/stack.sh"
# Gives it: $PORT and $P1..$P4 (the ports it may use), $T (a folder that goes
# away), $OUT (where files for the client go), fixed (is this the mended
# variant?), start (a child in the background), up_at PORT (wait until it
# listens), stay (say READY and wait for TERM).
set -u
PORT=${1:?usage: up PORT [fixed]}
variant=${2:-broken}
P1=$((PORT + 1)) P2=$((PORT + 2)) P3=$((PORT + 3)) P4=$((PORT + 4))
LIB=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
T=$(mktemp -d)
chmod 755 "$T"
OUT=${ZOO_OUT:-$T}
PY=/usr/bin/python3
export NODE_PATH=/usr/share/nodejs PYTHONDONTWRITEBYTECODE=1
children=()

leave() {
	trap '' TERM INT
	((${#children[@]})) && kill -TERM "${children[@]/#/-}" 2>/dev/null
	for _ in {1..20}; do
		((${#children[@]})) && kill -0 "${children[@]/#/-}" 2>/dev/null || break
		sleep 0.05
	done
	((${#children[@]})) && kill -KILL "${children[@]/#/-}" 2>/dev/null
	rm -rf "$T"
}
trap leave EXIT
trap 'exit 0' TERM INT

fixed() { [ "$variant" = fixed ]; }
either() { if fixed; then echo "$2"; else echo "$1"; fi; }

start() {
	setsid "$@" >>"$T/log" 2>&1 </dev/null &
	children+=($!)
}
up_at() {
	for _ in {1..200}; do
		[ -n "$(ss -Hltn "sport = :$1")" ] && return
		kill -0 "${children[-1]}" 2>/dev/null || break
		sleep 0.05
	done
	echo "nothing listens at port $1" >&2
	tail -n 20 "$T"/*log >&2
	exit 1
}
stay() {
	echo READY
	while sleep 60 & wait $!; do :; done
}

# A WebSocket echo at PORT: node's ws, or Python's websockets.
echo_node() { start node "$LIB/echo.js" "$@"; up_at "$1"; }
echo_py() { start "$PY" "$LIB/echo.py" "$@"; up_at "$1"; }

# nginx with the http block on standard input.
nginx_with() {
	{
		echo "daemon off; master_process off; pid $T/pid; error_log $T/nginx.log;"
		echo "events {} http { access_log off;"
		for d in client_body proxy fastcgi uwsgi scgi; do
			echo "${d}_temp_path $T/$d;"
		done
		cat
		echo "}"
	} >"$T/nginx.conf"
	start nginx -e "$T/nginx.log" -c "$T/nginx.conf"
	up_at "$PORT"
}
forward='proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection upgrade; proxy_set_header Host $http_host;'

# Apache with the configuration on standard input.
apache_with() {
	local m=/usr/lib/apache2/modules
	mkdir -p "$T/www"
	{
		echo "ServerRoot $T
ServerName localhost
PidFile $T/pid
ErrorLog $T/apache.log
Listen 127.0.0.1:$PORT
DefaultRuntimeDir $T
Mutex file:$T default
DocumentRoot $T/www"
		for x in mpm_event authz_core authz_host alias rewrite headers setenvif \
			proxy proxy_http proxy_wstunnel; do
			echo "LoadModule ${x}_module $m/mod_$x.so"
		done
		cat
	} >"$T/apache.conf"
	start apache2 -f "$T/apache.conf" -DFOREGROUND
	up_at "$PORT"
}
haproxy_with() {
	{
		echo "defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s"
		cat
	} >"$T/haproxy.cfg"
	start haproxy -f "$T/haproxy.cfg" -db
	up_at "$PORT"
}

# authority: a private CA whose certificate is $OUT/ca.pem.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$T/ca.key" -out "$OUT/ca.pem" -days 2 -subj /CN=authority 2>/dev/null
}
# certificate NAME ALTNAMES [from until]: $T/NAME.pem and $T/NAME.key.
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$T/$1.key" -out "$T/$1.csr" -subj "/CN=$1" 2>/dev/null
	mkdir -p "$T/ca"
	: >"$T/ca/index"
	openssl rand -hex 8 >"$T/ca/serial"
	printf '[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=%s\ndatabase=%s\nserial=%s\n' \
		"$T/ca" "$T/ca/index" "$T/ca/serial" >"$T/ca/cnf"
	printf 'default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >>"$T/ca/cnf"
	printf 'subjectAltName=%s\n' "$2" >"$T/ca/ext"
	local when=(-days 2)
	[ $# = 4 ] && when=(-startdate "$3" -enddate "$4")
	openssl ca -batch -config "$T/ca/cnf" -in "$T/$1.csr" -out "$T/$1.pem" \
		-cert "$OUT/ca.pem" -keyfile "$T/ca.key" -extfile "$T/ca/ext" -notext \
		"${when[@]}" 2>/dev/null
	chmod 644 "$T/$1.key"
}
