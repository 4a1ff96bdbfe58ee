# SPDX-License-Identifier: MIT
# Sourced by every CASE/up:  . "${0%/*}/../lib/stack.sh"
# Gives it: $PORT and $P1..$P4 (the ports it may use), $HERE (its own folder),
# $T (a folder that goes away), $OUT (where files for the client go), fixed (is
# this the mended variant?), start (a child in the background), up_at PORT (wait
# until it listens), stay (say READY and wait for TERM).
set -u
PORT=${1:?usage: up PORT [fixed]}
variant=${2:-broken}
P1=$((PORT + 1)) P2=$((PORT + 2)) P3=$((PORT + 3)) P4=$((PORT + 4))
LIB=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
ZOO=${LIB%/lib}
BUILD=$ZOO/.build
HERE=$(cd "${0%/*}" && pwd)
T=$(mktemp -d)
chmod 755 "$T"
OUT=${ZOO_OUT:-$T}
PY=/usr/bin/python3
export NODE_PATH=/usr/share/nodejs PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$LIB:$HERE VARIANT=$variant
children=()
leavings=() # commands that take away what is neither a child nor below $T

leave() {
	trap '' TERM INT
	# One that has only just begun has no group of its own yet.
	((${#children[@]})) && kill -TERM "${children[@]/#/-}" "${children[@]}" 2>/dev/null
	for _ in {1..20}; do
		((${#children[@]})) && kill -0 "${children[@]/#/-}" 2>/dev/null || break
		sleep 0.05
	done
	((${#children[@]})) && kill -KILL "${children[@]/#/-}" 2>/dev/null
	for x in "${leavings[@]}"; do
		eval "$x"
	done
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
up_at() { # PORT [TWENTIETHS of a second]
	for ((i = ${2:-200}; i; i--)); do
		[ -n "$(ss -Hltn "sport = :$1")" ] && return
		kill -0 "${children[-1]}" 2>/dev/null || break
		sleep 0.05
	done
	echo "nothing listens at port $1" >&2
	tail -n 20 "$T"/*log >&2
	exit 1
}
stay() {
	start sleep infinity
	echo READY
	wait "${children[-1]}"
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
	printf 'subjectAltName=%s\n%s\n' "$2" "${extensions:-}" >"$T/ca/ext"
	local when=(-days 2)
	[ $# = 4 ] && when=(-startdate "$3" -enddate "$4")
	openssl ca -batch -config "$T/ca/cnf" -in "$T/$1.csr" -out "$T/$1.pem" \
		-cert "${issuer:-$OUT/ca}.pem" -keyfile "${issuer:-$T/ca}.key" \
		-extfile "$T/ca/ext" -notext "${when[@]}" 2>/dev/null
	chmod 644 "$T/$1.key"
}
# chain [from until]: one for localhost, by an issuer below the authority, whose own is
# of that time; $T/localhost.pem has both, $T/leaf.pem the first alone.
chain() {
	extensions=$'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign' \
		certificate issuer DNS:issuer "$@"
	issuer=$T/issuer certificate localhost DNS:localhost,IP:127.0.0.1
	cp "$T/localhost.pem" "$T/leaf.pem"
	cat "$T/issuer.pem" >>"$T/localhost.pem"
}
# tls_certificate [ALTNAMES]: one for localhost, by an authority that the client
# may know.
tls_certificate() {
	authority
	certificate localhost "${1:-DNS:localhost,IP:127.0.0.1}"
}
# client_certificate [NAME [from until]]: $OUT/me.pem and $OUT/me.key (or NAME's), by the
# same authority.
client_certificate() {
	local name=${1:-me}
	certificate "$name" "DNS:$name" "${@:2}"
	cp "$T/$name.pem" "$T/$name.key" "$OUT/"
	chmod 644 "$OUT"/*
}

# dev_server wds|vite [WORD]: the dev server of a front end at PORT.
dev_server() {
	local name=$1
	shift
	start node "$LIB/$name.js" "$PORT" "$variant" "$T" "$@"
	up_at "$PORT"
}
# The case's own server at PORT (or another), in three languages.
node_server() {
	start node "$HERE/server.js" "${1:-$PORT}" "$variant" "$T"
	up_at "${1:-$PORT}"
}
python_server() {
	start "$PY" "$HERE/server.py" "${1:-$PORT}" "$variant"
	up_at "${1:-$PORT}"
}
perl_server() {
	export MOJO_MODE=production
	start perl "$HERE/server.pl" daemon -l "http://127.0.0.1:$PORT"
	up_at "$PORT"
}
# The case's app.py by an ASGI server, its config.ru by Puma.
daphne_server() { start daphne -b 127.0.0.1 -p "$PORT" "${1:-app}:app"; up_at "$PORT"; }
hypercorn_server() { start hypercorn "$@" -b "127.0.0.1:$PORT" app:app; up_at "$PORT"; }
puma_server() {
	cd "$T"
	start puma -q -t 1:3 -b "tcp://127.0.0.1:$PORT" "$HERE/config.ru"
	up_at "$PORT"
}
# go_server MODE [PORT VARIANT], tomcat_server MODE: see lib/go and lib/java.
go_server() {
	start "$BUILD/goserver" "$1" "${2:-$PORT}" "${3:-$variant}"
	up_at "${2:-$PORT}"
}
tomcat_server() {
	start java -Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData \
		-cp "$(printf '%s:' /usr/share/java/{tomcat9,spring3,commons-logging}*.jar)$BUILD/java" \
		"${2:-TomcatServer}" "$1" "$PORT" "$variant" "$T"
	up_at "$PORT"
}
spring_server() { tomcat_server "$1" SpringServer; }
# jupyter_server OPTION...: with one terminal, if the token is "open" or empty.
jupyter_server() {
	export HOME=$T JUPYTER_CONFIG_DIR=$T/config JUPYTER_DATA_DIR=$T/data
	export JUPYTER_RUNTIME_DIR=$T/runtime
	start /usr/bin/jupyter-server --allow-root --no-browser --ip 127.0.0.1 \
		--port "$PORT" --ServerApp.port_retries=0 \
		--ServerApp.disable_check_xsrf=true --ServerApp.root_dir="$T" "$@"
	up_at "$PORT"
	curl -s -o "$T/terminal" -X POST -H "Authorization: token open" \
		"http://127.0.0.1:$PORT/api/terminals"
}
# websockify_with OPTION...: before an echo that stands for the VNC server.
websockify_with() {
	mkdir -p "$T/web"
	echo "<html>noVNC</html>" >"$T/web/index.html"
	start websockify --web "$T/web" "$@"
	up_at "$PORT"
}

# Varnish before $P1, with this VCL on standard input and these options.
varnish_with() {
	{
		echo "vcl 4.1; backend app { .host = \"127.0.0.1\"; .port = \"$P1\"; }"
		cat
		echo 'sub vcl_pipe { if (req.http.upgrade) {
  set bereq.http.upgrade = req.http.upgrade;
  set bereq.http.connection = req.http.connection; } }'
	} >"$T/varnish.vcl"
	start varnishd -F -n "$T/varnish" -a "127.0.0.1:$PORT" -f "$T/varnish.vcl" \
		-s malloc,8m "$@"
	up_at "$PORT"
	sleep 1 # It listens before its worker does.
}
# h2o, its hosts on standard input.
h2o_with() {
	{
		[ "$(id -u)" = 0 ] && echo "user: root"
		echo "num-threads: 1"
		echo "error-log: $T/h2o.log"
		echo "listen: {host: 127.0.0.1, port: $PORT${h2o_listens:-}}"
		cat
	} >"$T/h2o.conf"
	start h2o -c "$T/h2o.conf"
	up_at "$PORT"
}
# lighttpd before $P1, more of its configuration on standard input.
lighttpd_with() {
	{
		echo "server.document-root = \"$T\"
server.bind = \"127.0.0.1\"
server.port = $PORT
server.errorlog = \"$T/lighttpd.log\"
server.modules = (\"mod_access\", \"mod_auth\", \"mod_authn_file\",
  \"mod_redirect\", \"mod_proxy\")
proxy.server = (\"/\" => ((\"host\" => \"127.0.0.1\", \"port\" => $P1)))
proxy.header = (\"upgrade\" => \"enable\")"
		cat
	} >"$T/lighttpd.conf"
	start lighttpd -D -f "$T/lighttpd.conf"
	up_at "$PORT"
}
# Caddy with global options as its argument and the sites on standard input.
caddy_with() {
	{
		printf '{\n admin off\n %s\n}\n' "$1"
		cat
	} >"$T/Caddyfile"
	export HOME=$T XDG_DATA_HOME=$T XDG_CONFIG_HOME=$T
	start caddy run --adapter caddyfile --config "$T/Caddyfile"
	up_at "$PORT"
}
# caddy_site LINES: Caddy before $P1, with these lines in the broken variant.
caddy_site() {
	caddy_with "auto_https off" <<-END
		http://127.0.0.1:$PORT {
		bind 127.0.0.1
		$(either "$1" "")
		reverse_proxy 127.0.0.1:$P1
		}
	END
}
# stunnel before $P1, more of its service on standard input.
stunnel_with() {
	{
		echo "foreground = yes
pid =
[ws]
accept = 127.0.0.1:$PORT
connect = 127.0.0.1:$P1
cert = $T/localhost.pem
key = $T/localhost.key"
		cat
	} >"$T/stunnel.conf"
	start stunnel4 "$T/stunnel.conf"
	up_at "$PORT"
}
# ModSecurity in Apache, before $P1, its rules on standard input.
modsecurity_with() {
	local m=/usr/lib/apache2/modules
	apache_with < <(
		echo "LoadModule unique_id_module $m/mod_unique_id.so
LoadModule security2_module $m/mod_security2.so
SecDataDir $T
SecRuleEngine $(either On Off)
ProxyPass / ws://127.0.0.1:$P1/"
		cat
	)
}

# use_up: three requests, so that a limit on their rate is reached.
use_up() {
	for _ in 1 2 3; do
		curl -s -o "$T/used" "http://127.0.0.1:$PORT/chat"
	done
}
# occupy [PATH]: one connection that stays open, so that a limit is reached.
occupy() {
	exec 7<>"/dev/tcp/127.0.0.1/$PORT"
	printf '%s\r\n' "GET ${1:-/x} HTTP/1.1" "Host: 127.0.0.1:$PORT" "Upgrade: websocket" \
		"Connection: Upgrade" "Sec-WebSocket-Version: 13" \
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==" "" >&7
	sleep 0.3
}

. "$LIB/daemons.sh"
. "$LIB/proxies.sh"
. "$LIB/languages.sh"
. "$LIB/programs.sh"
