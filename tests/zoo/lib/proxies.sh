# SPDX-License-Identifier: MIT
# Sourced by lib/stack.sh: applications that stand behind proxies, and proxies and
# relays of every kind. Where nothing else is said, they listen at $PORT, and the
# configuration is standard input.

# elsewhere PORT COMMAND...: a server of this library at another port than $PORT.
elsewhere() {
	local PORT=$1
	shift
	"$@"
}
# node_app PORT NAME [WORD], python_app PORT NAME [WORD]: see applications.js and .py.
node_app() {
	cd "$T" # where Gun makes a folder
	run_at "$1" node "$LIB/applications.js" "$1" "$variant" "${@:2}"
}
python_app() { run_at "$1" "$PY" "$LIB/applications.py" "$1" "$2" "$variant" "${@:3}"; }
# node_gateway NAME: a proxy of npm's, before $P1; see gateways.js.
node_gateway() { run_at "$PORT" node "$LIB/gateways.js" "$PORT" "$variant" "$1" "$T"; }
websocketd_at() { run_at "$1" websocketd --address=127.0.0.1 --port="$1" "${@:2}" cat; }
# httpuv_at PORT MODE: see httpuv.R.
httpuv_at() { run_at "$1" Rscript "$LIB/httpuv.R" "$1" "$2" "$variant"; }
# ask CURL'S ARGUMENT...: a request whose answer nobody reads.
ask() { curl -s -o "$T/asked" "$@"; }
# both_pem: certificate and key in one file, as HAProxy and hitch want them.
both_pem() {
	cat "$T/localhost.pem" "$T/localhost.key" >"$T/both.pem"
	chmod 600 "$T/both.pem"
}
# self_signed NAME: $T/NAME.pem, by itself, with an RSA key.
self_signed() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/$1.key" -out "$T/$1.pem" \
		-days 365 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" 2>/dev/null
}

# site HTML: a folder with this page, $T/site.
site() {
	mkdir -p "$T/site"
	echo "$1" >"$T/site/index.html"
	chmod -R a+rX "$T/site"
}
# passwords NAME:PASSWORD..., digest NAME REALM PASSWORD: the file $T/users, for Basic
# and for Digest.
passwords() {
	for x; do
		echo "${x%%:*}:$(openssl passwd -apr1 "${x#*:}")"
	done >"$T/users"
	chmod 644 "$T/users"
}
digest() { echo "$1:$2:$(printf %s "$1:$2:$3" | md5sum | cut -d' ' -f1)" >"$T/users"; }

# apache_modules_with "MODULE...": Apache with these modules besides the usual ones.
apache_modules_with() {
	apache_with < <(
		for x in $1; do
			echo "LoadModule ${x}_module /usr/lib/apache2/modules/mod_$x.so"
		done
		cat
	)
}
# what Apache needs to ask for a password
basic_modules="authn_core authn_file auth_basic authz_user"
# crs_lines LEVEL LIMIT RULES...: parts of the OWASP core rules, with a paranoia level and
# the score from which a request is refused.
crs_lines() {
	local rules=/usr/share/modsecurity-crs/rules
	echo "SecTmpDir $T"
	echo 'SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level='"$1\""
	echo 'SecAction "id:900110,phase:1,nolog,pass,t:none,'"\
setvar:tx.inbound_anomaly_score_threshold=$2,setvar:tx.outbound_anomaly_score_threshold=4\""
	echo 'SecAction "id:900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version=334"'
	echo "Include $rules/REQUEST-901-INITIALIZATION.conf"
	shift 2
	printf "Include $rules/REQUEST-%s.conf\n" "$@"
	echo "Include $rules/REQUEST-949-BLOCKING-EVALUATION.conf"
}
# nginx_beside PORT: a second nginx, with the http block on standard input.
nginx_beside() { beside "$1" nginx_with; }
# haproxy_tls WORD...: HAProxy by TLS, these words behind the certificate; before $P1.
haproxy_tls() {
	both_pem
	haproxy_with <<-END
		frontend web
		  bind 127.0.0.1:$PORT ssl crt $T/both.pem $*
		  default_backend app
		backend app
		  server a 127.0.0.1:$P1
	END
}
# caddy_lines LINES: Caddy before $P1, with these lines in both variants.
caddy_lines() {
	caddy_with "auto_https off" <<-END
		http://127.0.0.1:$PORT {
		bind 127.0.0.1
		$1
		}
	END
}
# varnish_vcl OPTION...: Varnish with all of its VCL on standard input.
varnish_vcl() {
	{
		echo "vcl 4.1;"
		cat
	} >"$T/varnish.vcl"
	run_at "$PORT" varnishd -F -n "$T/varnish" -f "$T/varnish.vcl" -s malloc,8m "$@"
	sleep 1 # It listens before its worker does.
}
# what Varnish's documentation has for WebSockets
vcl_pipe='sub vcl_pipe { if (req.http.upgrade) {
  set bereq.http.upgrade = req.http.upgrade; set bereq.http.connection = req.http.connection; } }'
# h2o_site: h2o before $P1 or another, with these lines (of mruby) at its path.
h2o_site() { # [LINES [PORT]]
	h2o_with <<-END
		hosts:
		  default:
		    paths:
		      /:
		        ${1:-}
		        proxy.reverse.url: http://127.0.0.1:${2:-$P1}/
		        proxy.websocket: ON
		        proxy.preserve-host: ON
	END
}
# lighttpd_alone MODULE...: lighttpd, with these modules and nothing set.
lighttpd_alone() {
	{
		echo "server.document-root = \"$T\""
		echo "server.bind = \"127.0.0.1\""
		echo "server.port = $PORT"
		echo "server.modules = ($(printf '"%s",' "$@"))"
		cat
	} >"$T/lighttpd.conf"
	run_at "$PORT" lighttpd -D -f "$T/lighttpd.conf"
}
# lighttpd_console [LINE]: mod_wstunnel before a console that is no WebSocket.
lighttpd_console() {
	run_at "$P1" socat "TCP-LISTEN:$P1,bind=127.0.0.1,reuseaddr,fork" EXEC:cat
	lighttpd_alone mod_wstunnel <<-END
		wstunnel.server = ("/console" => (("host" => "127.0.0.1", "port" => $P1)))
		${1:-}
	END
}
# lighttpd_tls: the lines with which lighttpd speaks TLS.
lighttpd_tls="server.modules += (\"mod_openssl\")
ssl.engine = \"enable\"
ssl.pemfile = \"$T/localhost.pem\"
ssl.privkey = \"$T/localhost.key\""
# nghttpx_with FRONTEND'S WORDS OPTION...: nghttpx before $P1.
nghttpx_with() {
	run_at "$PORT" nghttpx --conf=/dev/null --single-process "-f127.0.0.1,$PORT$1" \
		"-b127.0.0.1,$P1" --errorlog-file="$T/nghttpx.log" "${@:2}"
}
nghttpx_plain() { nghttpx_with ";no-tls" "$@"; }
nghttpx_tls() { nghttpx_with "" "$@" "$T/localhost.key" "$T/localhost.pem"; }
# traffic_server_keeps_host RECORD...: Traffic Server that hands the Host on, with further
# records, each "NAME TYPE VALUE" without its proxy.config.
traffic_server_keeps_host() {
	traffic_server_with "url_remap.pristine_host_hdr INT 1" "$@"
	sleep 0.5
}
header_rewrite="@plugin=header_rewrite.so @pparam=" # and a file
# traffic_server_tls: the same by TLS.
traffic_server_tls() {
	traffic_server_listens=:ssl traffic_server_keeps_host \
		"ssl.server.cert.path STRING $T/ats/etc" "ssl.server.private_key.path STRING $T/ats/etc"
}
chp_at() { # PORT2 OPTION...: configurable-http-proxy before $P1
	run_at "$PORT" node "$ZOO/node_modules/configurable-http-proxy/bin/configurable-http-proxy" \
		--ip 127.0.0.1 --port "$PORT" --api-ip 127.0.0.1 --api-port "$1" \
		--default-target "http://127.0.0.1:$P1" --log-level error "${@:2}"
}
# privoxy_at PORT: with the rest of its configuration on standard input.
privoxy_at() {
	{
		echo "confdir $T"
		echo "logdir $T"
		echo "listen-address 127.0.0.1:$1"
		echo "templdir /etc/privoxy/templates"
		cat
	} >"$T/config"
	chmod -R a+rwX "$T"
	run_at "$1" privoxy --no-daemon --user proxy "$T/config"
}
# tinyproxy_with: the rest of its configuration on standard input.
tinyproxy_with() {
	{
		echo "Port $PORT"
		echo "Listen 127.0.0.1"
		echo "LogFile \"$T/tinyproxy.log\""
		echo "PidFile \"$T/tinyproxy.pid\""
		echo "MaxClients 10"
		echo "Allow 127.0.0.1"
		cat
	} >"$T/tinyproxy.conf"
	run_at "$PORT" tinyproxy -d -c "$T/tinyproxy.conf"
}
# intercept_to PORT2: in the broken variant, whoever goes to $PORT comes to this one.
intercept_to() {
	fixed && return
	leavings+=("nft delete table ip zoo$PORT")
	nft -f - <<-END || exit 1
		table ip zoo$PORT {
		  chain output {
		    type nat hook output priority -100;
		    ip daddr 127.0.0.1 tcp dport $PORT meta skuid != proxy redirect to :$1
		  }
		}
	END
}
# socat_relay PORT2 [WORDS]: socat between $PORT and this one.
socat_relay() {
	run_at "$PORT" socat "${@:3}" "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr${2-,fork}" \
		"TCP:127.0.0.1:$1"
}
# sshd_at PORT [LINE...], ssh_tunnel: a server of SSH, and one that forwards $PORT to $P1.
sshd_at() {
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N "" -f "$T/host"
	{
		echo "Port $1"
		echo "ListenAddress 127.0.0.1"
		echo "HostKey $T/host"
		echo "PidFile none"
		echo "UsePAM no"
		printf '%s\n' "${@:2}"
	} >"$T/sshd_config"
	run_at "$1" /usr/sbin/sshd -D -e -f "$T/sshd_config"
}
ssh_tunnel() {
	ssh-keygen -q -t ed25519 -N "" -f "$T/me"
	sshd_at "$P2" "AuthorizedKeysFile $T/me.pub" "StrictModes no" "PermitRootLogin yes"
	run_at "$PORT" ssh -N -L "127.0.0.1:$PORT:127.0.0.1:$P1" -p "$P2" -i "$T/me" -F none \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1
}
# xinetd_with LINE: before $P1, with this line about who may come.
xinetd_with() {
	cat >"$T/xinetd.conf" <<-END
		defaults
		{
		  log_type = FILE $T/xinetd.log
		}
		service chat
		{
		  type = UNLISTED
		  port = $PORT
		  bind = 127.0.0.1
		  socket_type = stream
		  protocol = tcp
		  wait = no
		  user = root
		  redirect = 127.0.0.1 $P1
		  $1
		}
	END
	run_at "$PORT" xinetd -dontfork -f "$T/xinetd.conf" -pidfile "$T/xinetd.pid"
}
# uwsgi_sockets: $T/app.py, whose WebSocket is uWSGI's own, at /ws.
uwsgi_sockets() {
	cat >"$T/app.py" <<-'END'
		import uwsgi
		def application(env, start):
		    if env["PATH_INFO"] != "/ws":
		        start("200 OK", [("Content-Type", "text/html")])
		        return [b"<h1>uWSGI</h1>"]
		    uwsgi.websocket_handshake(env["HTTP_SEC_WEBSOCKET_KEY"], env.get("HTTP_ORIGIN", ""))
		    while True:
		        uwsgi.websocket_send(uwsgi.websocket_recv())
	END
}
