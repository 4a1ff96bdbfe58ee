# SPDX-License-Identifier: MIT
# Sourced by lib/stack.sh: the servers that have a language, a library or a
# configuration file of their own. Where nothing else is said, they listen at
# $PORT, and the configuration is standard input.

# run_at PORT COMMAND...: a child that is awaited.
run_at() {
	local port=$1
	shift
	start "$@"
	up_at "$port"
}

# The echoes of lib with reasons to refuse: MODE [PORT [VARIANT]].
python_at() { run_at "${3:-$PORT}" "$PY" "$LIB/$1.py" "${3:-$PORT}" "$2" "${4:-$variant}"; }
node_at() { run_at "$2" node "$LIB/$1.js" "$2" "$3" "$T" "${@:4}"; } # NAME PORT VARIANT WORD...
page_at() { node_at page_echo "$1" "$variant"; }
library() { run_at "${2:-$PORT}" node "$LIB/library.js" "${2:-$PORT}" "${3:-$variant}" "$1"; }
ruby_server() { run_at "${2:-$PORT}" ruby "$LIB/em_websocket.rb" "${2:-$PORT}" "$1" "$variant"; }
gin_server() { run_at "${2:-$PORT}" "$BUILD/ginserver" "$1" "${2:-$PORT}" "$variant"; }
# framework NAME, service NAME, with [PORT [VARIANT]]: see frameworks.js, services.js.
framework() { run_at "${2:-$PORT}" node "$LIB/frameworks.js" "${2:-$PORT}" "${3:-$variant}" "$1"; }
service() { run_at "${2:-$PORT}" node "$LIB/services.js" "${2:-$PORT}" "${3:-$variant}" "$1" "$T"; }
chi_server() { run_at "${2:-$PORT}" "$BUILD/chiserver" "$1" "${2:-$PORT}" "${3:-$variant}"; }
# native PROGRAM MODE [PORT [VARIANT]]: see lib/native.
native() { run_at "${3:-$PORT}" "$BUILD/$1" "$2" "${3:-$PORT}" "${4:-$variant}"; }
qt_server() { QT_QPA_PLATFORM=offscreen python_at qt_websockets "$1"; }
php_server() { run_at "$PORT" php "$LIB/php_websocket.php" "$PORT" "$1" "$variant"; }
twiggy_server() { MODE=$1 run_at "$PORT" twiggy --listen "127.0.0.1:$PORT" "$LIB/twiggy.psgi"; }
# jetty_server MODE [PORT [VARIANT [CLASS]]]: see lib/java, so jetty_desk.
jetty_server() {
	run_at "${2:-$PORT}" java -Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
		-XX:-UsePerfData -Dorg.eclipse.jetty.LEVEL=OFF \
		-cp "$(printf '%s:' /usr/share/java/jetty9-*.jar)/usr/share/java/servlet-api.jar:$BUILD/java" \
		"${4:-JettyServer}" "$1" "${2:-$PORT}" "${3:-$variant}"
}
jetty_desk() { jetty_server "$1" "${2:-$PORT}" "${3:-$variant}" JettyDesk; }
# sinatra_server MODE [PORT], by thin.
sinatra_server() {
	cd "$T"
	MODE=$1 run_at "${2:-$PORT}" thin -R "$LIB/sinatra.ru" -a 127.0.0.1 -p "${2:-$PORT}" start
	sleep 0.3
}
uvicorn_at() { # PORT APPLICATION OPTION...
	run_at "$1" uvicorn --app-dir "$LIB" --host 127.0.0.1 --port "$1" --log-level warning \
		"${@:3}" "$2"
}
falcon_server() { MODE=$1 uvicorn_at "${2:-$PORT}" falcon_rooms:app; }
fastapi_at() { ZOO_PATH=$2 uvicorn_at "$1" echo_fastapi:app "${@:3}"; }
gunicorn_server() {
	cd "$T"
	run_at "$PORT" gunicorn -b "127.0.0.1:$PORT" "$@"
	sleep 0.5 # It listens before its worker does.
}
uwsgi_server() {
	cd "$T"
	run_at "$PORT" uwsgi --plugin python3 --pythonpath "$HERE" --master --die-on-term \
		--http-socket "127.0.0.1:$PORT" "$@"
	sleep 0.7
}
tornado_at() { run_at "$1" "$PY" "$LIB/echo_tornado.py" "$1"; }
socketio_at() { run_at "$1" node "$LIB/socketio.js" "$1"; }

# Parts of it: what forgets the Upgrade in nginx (nothing is said, or HTTP/1.1 alone), and
# what forgets the Host.
forward_host='proxy_set_header Host $http_host;'
forward_upgrade='proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection upgrade;'
forward_http11="proxy_http_version 1.1; $forward_host proxy_set_header Connection \"\";"
# nginx_site LINES: before $P1, with these lines in its location.
nginx_site() {
	nginx_with <<-END
		server { listen 127.0.0.1:$PORT;
		  location / { proxy_pass http://127.0.0.1:$P1; $1 } }
	END
}
# nginx_modules_with MODULE...: nginx with these modules; the blocks http and
# stream are on standard input, and nginx_folders is a part of http.
nginx_modules_with() {
	{
		printf 'load_module /usr/lib/nginx/modules/%s.so;\n' "$@"
		[ "$(id -u)" = 0 ] && echo "user root;"
		echo "daemon off; master_process off; pid $T/pid; error_log $T/nginx.log;"
		echo "events {}"
		cat
	} >"$T/nginx.conf"
	run_at "$PORT" nginx -e "$T/nginx.log" -c "$T/nginx.conf"
}
nginx_folders() {
	echo "access_log off;"
	for d in client_body proxy fastcgi uwsgi scgi; do
		echo "${d}_temp_path $T/$d;"
	done
}
# lua_gateway: an API gateway in nginx before $P1. What stands between the client
# and the application is Lua, on standard input; it has deny(STATUS, TEXT, FIELD, VALUE).
lua_gateway() {
	local rule
	rule=$(cat)
	fixed && rule=
	nginx_modules_with ndk_http_module ngx_http_lua_module <<-END
		http {
		$(nginx_folders)
		lua_package_path "/usr/share/lua/5.1/?.lua;;";
		lua_shared_dict hits 1m;
		server { listen 127.0.0.1:$PORT; location / {
		access_by_lua_block {
		local function deny(status, text, field, value)
		  ngx.status = status
		  ngx.header["Content-Type"] = "application/json"
		  if field then ngx.header[field] = value end
		  ngx.say(text)
		  return ngx.exit(status)
		end
		$rule
		}
		proxy_pass http://127.0.0.1:$P1; $forward } } }
	END
}
# lua_socket [LUA]: an echo at /dash by lua-nginx-websocket; the Lua stands before it.
lua_socket() {
	nginx_modules_with ndk_http_module ngx_http_lua_module <<-END
		http {
		$(nginx_folders)
		lua_package_path "/usr/share/lua/5.1/?.lua;;";
		server { listen 127.0.0.1:$PORT;
		location / { default_type text/html; content_by_lua_block { ngx.say("<h1>dash</h1>") } }
		location /dash { content_by_lua_block {
		${1:-}
		local socket, wrong = require("nginx.websocket.server"):new{ timeout = 300000 }
		if not socket then
		  ngx.log(ngx.ERR, "failed to new websocket: ", wrong)
		  return ngx.exit(444)
		end
		while true do
		  local data, kind = socket:recv_frame()
		  if socket.fatal or kind == "close" then break end
		  if kind == "text" then socket:send_text(data)
		  elseif kind == "ping" then socket:send_pong(data) end
		end
		} } } }
	END
}
# apache_site: before $P1, by http:// and, in the fixed variant, with the Upgrade.
apache_site() {
	apache_with <<-END
		ProxyPreserveHost On
		ProxyPass / http://127.0.0.1:$P1/ $(either "" upgrade=websocket)
	END
}
# core_rules_with: Apache before $P1, with ModSecurity and the OWASP core rules.
core_rules_with() {
	cp /etc/modsecurity/crs/crs-setup.conf "$T/"
	modsecurity_with <<-END
		SecTmpDir $T
		SecRequestBodyAccess On
		Include $T/crs-setup.conf
		Include /usr/share/modsecurity-crs/rules/*.conf
	END
}
# haproxy_site LINES: HAProxy before $P1, with these lines in its frontend.
haproxy_site() {
	haproxy_with <<-END
		frontend web
		  bind 127.0.0.1:$PORT
		  $1
		  default_backend app
		backend app
		  server a 127.0.0.1:$P1
	END
}
# haproxy_token: before $P1, for those whose token it can verify.
haproxy_token() {
	local answer='http-request deny deny_status 401 content-type text/plain string'
	local signed='jwt_verify("HS256","not-a-secret-at-all-0123456789abcdef") -m int 1'
	local rules
	rules=$(cat <<-END
		http-request set-var(txn.bearer) http_auth_bearer
		  http-request set-var(txn.now) date()
		  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('\$.exp','int')
		  $answer "Missing Authorization HTTP header" unless { req.hdr(authorization) -m found }
		  $answer "Invalid JWT signature" unless { var(txn.bearer),$signed }
		  $answer "JWT has expired" if { var(txn.exp),sub(txn.now) -m int lt 0 }
	END
	)
	haproxy_site "$(either "$rules" "")"
}
# caddy_tls_site: Caddy at https://localhost, before the port that is named.
caddy_tls_site() { # PORT [LINES of its tls block]
	caddy_with "auto_https off" <<-END
		https://localhost:$PORT {
		bind 127.0.0.1
		tls $T/localhost.pem $T/localhost.key ${2:-}
		reverse_proxy 127.0.0.1:$1
		}
	END
}
# apache_tls: the lines with which Apache speaks TLS.
apache_tls="LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
SSLEngine on
SSLCertificateFile $T/localhost.pem
SSLCertificateKeyFile $T/localhost.key"
# squid_with WORD...: Squid, with these words to its http_port and the rest of its
# configuration on standard input.
squid_with() {
	chmod 777 "$T"
	{
		cat <<-END
			http_port 127.0.0.1:$PORT $*
			pid_filename none
			cache deny all
			cache_log $T/cache.log
			access_log none
			cache_effective_user proxy
			shutdown_lifetime 0
		END
		cat
	} >"$T/squid.conf"
	# Its shared memory goes by the service name; leave none behind.
	leavings+=("rm -f /dev/shm/zoo$PORT-*")
	run_at "$PORT" squid -N -n "zoo$PORT" -f "$T/squid.conf"
}
# squid_site OPTION...: as an accelerator before $P1, that forgets the Upgrade.
squid_site() {
	squid_with "accel defaultsite=127.0.0.1:$PORT $*" <<-END
		cache_peer 127.0.0.1 parent $P1 0 no-query originserver
		http_access allow all
		$(either "" "http_upgrade_request_protocols websocket allow all")
	END
}
# hitch_with PORT [PROTOCOL]: TLS by hitch before this port.
hitch_with() {
	local as=()
	[ "$(id -u)" = 0 ] && as=(-u nobody)
	cat "$T/localhost.key" "$T/localhost.pem" >"$T/both.pem"
	chmod 600 "$T/both.pem"
	run_at "$PORT" hitch -n 1 -f "[127.0.0.1]:$PORT" -b "[127.0.0.1]:$1" "${as[@]}" \
		--alpn-protos="${2:-http/1.1}" "$T/both.pem"
}
# traffic_server_with RECORD...: Apache Traffic Server with the rules of remap.config
# and further records, each "NAME TYPE VALUE" without its proxy.config.
traffic_server_with() {
	local root=$T/ats tls=${traffic_server_listens:-} etc=$T/ats/etc
	mkdir -p "$root"/{etc,run,cache,log}
	chmod -R 777 "$root"
	cat >"$root/etc/remap.config"
	cat >"$root/runroot.yaml" <<-END
		prefix: $root
		exec_prefix: /usr
		bindir: /usr/bin
		sbindir: /usr/bin
		sysconfdir: $root/etc
		datadir: $root
		includedir: /usr/include
		libdir: /usr/lib
		libexecdir: /usr/lib/trafficserver/modules
		localstatedir: $root
		runtimedir: $root/run
		logdir: $root/log
		mandir: /usr/share/man
		infodir: $root
		cachedir: $root/cache
	END
	cat >"$root/etc/records.config" <<-END
		CONFIG proxy.config.http.server_ports STRING $PORT:ip-in=127.0.0.1$tls
		CONFIG proxy.config.admin.user_id STRING #-1
		CONFIG proxy.config.http.cache.http INT 0
		CONFIG proxy.config.reverse_proxy.enabled INT 1
		CONFIG proxy.config.url_remap.remap_required INT 1
		CONFIG proxy.config.log.logging_enabled INT 0
		CONFIG proxy.config.exec_thread.autoconfig.enabled INT 0
		CONFIG proxy.config.exec_thread.limit INT 1
		CONFIG proxy.config.http.connect_attempts_timeout INT 3
		CONFIG proxy.config.http.connect_attempts_max_retries INT 0
	END
	(($#)) && printf 'CONFIG proxy.config.%s\n' "$@" >>"$root/etc/records.config"
	if [ -n "$tls" ]; then
		install -m 644 "$T/localhost.pem" "$T/localhost.key" "$etc/"
		echo "dest_ip=* ssl_cert_name=localhost.pem ssl_key_name=localhost.key" \
			>"$etc/ssl_multicert.config"
	fi
	printf '%s\n' ip_allow: "  - apply: in" "    ip_addrs: 0/0" "    action: allow" \
		"    methods: ALL" >"$root/etc/ip_allow.yaml"
	echo "$root/cache 16M" >"$root/etc/storage.config"
	run_at "$PORT" traffic_server --run-root="$root/runroot.yaml"
}
# mitm OPTION...: mitmproxy; strips is the option that takes the Upgrade away.
strips=$(either "--modify-headers /~q/Upgrade/" "")
mitm() {
	run_at "$PORT" mitmdump --set confdir="$T/mitm" --listen-host 127.0.0.1 -p "$PORT" -q "$@"
}
# sslh_with OPTION...: one port for several protocols.
sslh_with() { run_at "$PORT" sslh -f -u "$(id -un)" -p "127.0.0.1:$PORT" "$@"; }

nats_with() { # [PORT]
	{
		echo "host: 127.0.0.1"
		echo "pid_file: \"$T/nats.pid\""
		cat
	} >"$T/nats.conf"
	run_at "${1:-$PORT}" nats-server -c "$T/nats.conf"
}
# nats_at PORT PORT2 [SETTING]: NATS' websocket, and its own port.
nats_at() {
	nats_with "$1" <<-END
		port: $2
		websocket { host: 127.0.0.1, port: $1, no_tls: true, ${3:-} }
	END
}
mosquitto_with() { # [PORT]
	{
		echo "user $(id -un)"
		echo "allow_anonymous true"
		cat
	} >"$T/mosquitto.conf"
	run_at "${1:-$PORT}" mosquitto -c "$T/mosquitto.conf"
}
# mosquitto_tls LINES: its websocket by TLS at $PORT.
mosquitto_tls() {
	mosquitto_with <<-END
		listener $P1 127.0.0.1
		listener $PORT 127.0.0.1
		protocol websockets
		certfile $T/localhost.pem
		keyfile $T/localhost.key
		$1
	END
}
prosody_with() {
	mkdir -p "$T/data"
	{
		cat <<-END
			run_as_root = true
			data_path = "$T/data"
			pidfile = "$T/prosody.pid"
			log = { info = "$T/prosody.log" }
			c2s_ports = {}
			c2s_direct_tls_ports = {}
			s2s_ports = {}
			http_interfaces = { "127.0.0.1" }
			http_ports = { $PORT }
			https_ports = {}
			modules_enabled = { "websocket", "saslauth", "roster", "disco" }
			consider_websocket_secure = true
		END
		cat
		echo 'VirtualHost "localhost"'
	} >"$T/prosody.cfg.lua"
	run_at "$PORT" prosody --config "$T/prosody.cfg.lua" -F
}
# ejabberd_at PORT [SETTING]: its WebSocket at /ws. Erlang is started by hand, since
# ejabberdctl wants the user ejabberd.
ejabberd_at() {
	mkdir -p "$T/db"
	cat >"$T/ejabberd.yml" <<-END
		hosts: [localhost]
		loglevel: error
		listen:
		  -
		    port: $1
		    ip: "127.0.0.1"
		    module: ejabberd_http
		    request_handlers:
		      /ws: ejabberd_http_ws
		${2:-}
	END
	cd "$T" # where Erlang would leave a dump
	HOME=$T run_at "$1" erl -noshell -noinput +S 1 \
		-pa $(ls -d /usr/lib/*/ejabberd*/ebin /usr/lib/*/erlang/lib/*/ebin 2>/dev/null) \
		-mnesia dir "\"$T/db\"" -ejabberd config "\"$T/ejabberd.yml\"" \
		log_path "\"$T/ejabberd.log\"" -s ejabberd
}
# yaws_at PORT [ORIGIN]: Yaws with an echo at /ws, for this origin alone if given.
yaws_at() {
	mkdir -p "$T/ebin" "$T/www" "$T/logs"
	erlc -o "$T/ebin" "$LIB/ws_yaws.erl"
	echo "<html>yaws</html>" >"$T/www/index.html"
	cat >"$T/yaws.conf" <<-END
		logdir = $T/logs
		ebin_dir = $T/ebin
		pick_first_virthost_on_nomatch = true
		trace = false
		<server localhost>
			port = $1
			listen = 127.0.0.1
			docroot = $T/www
			appmods = <ws, ws_yaws>
		</server>
	END
	cd "$T"
	HOME=$T YAWSHOME=$T ALLOWED_ORIGIN=${2:-} run_at "$1" \
		bash -c "sleep infinity | exec yaws -i --conf $T/yaws.conf --id zoo$1"
}
# weechat_with: a relay, with these commands.
weechat_with() {
	local commands=()
	while read -r line; do
		[ -n "$line" ] && commands+=(-r "$line")
	done
	HOME=$T run_at "$PORT" weechat-headless --dir "$T/weechat" "${commands[@]}" \
		-r "/set relay.network.bind_address 127.0.0.1" \
		-r "/relay add ipv4.weechat $PORT"
}
# kamailio_with [LINE]: SIP by WebSocket; the line stands before the handshake.
kamailio_with() {
	local modules
	modules=$(echo /usr/lib/*/kamailio/modules/)
	mkdir -p "$T/run"
	cat >"$T/kamailio.cfg" <<-END
		#!KAMAILIO
		debug=1
		log_stderror=yes
		children=1
		tcp_children=1
		auto_aliases=no
		listen=tcp:127.0.0.1:$PORT
		tcp_accept_no_cl=yes
		disable_sctp=yes
		mpath="$modules"
		loadmodule "sl.so"
		loadmodule "pv.so"
		loadmodule "textops.so"
		loadmodule "siputils.so"
		loadmodule "tm.so"
		loadmodule "xhttp.so"
		loadmodule "websocket.so"
		request_route { exit; }
		event_route[xhttp:request] {
		  set_reply_close(); set_reply_no_connect();
		  if (\$hdr(Upgrade)=~"websocket" && \$hdr(Connection)=~"Upgrade" && \$rm=~"GET") {
		    ${1:-}
		    if (ws_handle_handshake()) { exit; }
		  }
		  xhttp_reply("404", "Not Found", "", "");
		}
	END
	run_at "$PORT" kamailio -DD -E -f "$T/kamailio.cfg" -Y "$T/run" -P "$T/run/pid" -m 32 -M 8
}
# mopidy_at PORT [SETTING]: Mopidy without music.
mopidy_at() {
	cat >"$T/mopidy.conf" <<-END
		[core]
		cache_dir=$T/cache
		config_dir=$T/config
		data_dir=$T/data
		[audio]
		output=fakesink
		mixer=none
		[file]
		enabled=false
		[m3u]
		enabled=false
		[stream]
		enabled=false
		[softwaremixer]
		enabled=false
		[http]
		enabled=true
		hostname=127.0.0.1
		port=$1
		zeroconf=
		${2:-}
	END
	HOME=$T run_at "$1" mopidy --config "$T/mopidy.conf"
}
# firewall RULE: in the broken variant, a table for this case alone.
firewall() {
	fixed && return
	leavings+=("nft delete table inet zoo$PORT")
	nft -f - <<-END || exit 1
		table inet zoo$PORT {
		  chain input { type filter hook input priority 0; $1; }
		}
	END
}
# aria2_at PORT PORT2 PORT3: its RPC, and two ports that it has besides.
aria2_at() {
	run_at "$1" aria2c --enable-rpc --rpc-listen-port="$1" --disable-ipv6 --no-conf --quiet \
		--dir="$T" --listen-port="$2" --dht-listen-port="$3" --enable-dht=false
}
# webdis_at PORT [true|false]: before a Redis at $P1, with websockets or without.
webdis_at() {
	run_at "$P1" redis-server --port "$P1" --save "" --bind 127.0.0.1 --dir "$T"
	cat >"$T/webdis.json" <<-END
		{"redis_host": "127.0.0.1", "redis_port": $P1,
		 "http_host": "127.0.0.1", "http_port": $1, "websockets": ${2:-true},
		 "threads": 1, "pool_size": 2, "daemonize": false, "database": 0, "acl": [],
		 "verbosity": 1, "logfile": "$T/webdis.log"}
	END
	run_at "$1" webdis "$T/webdis.json"
}
# rabbitmq_stomp: RabbitMQ with Web STOMP at $PORT and AMQP at $P2.
rabbitmq_stomp() {
	local home
	home=$(echo /usr/lib/rabbitmq/lib/rabbitmq_server-*)
	echo "[rabbitmq_web_stomp]." >"$T/plugins"
	cat >"$T/rabbit.conf" <<-END
		listeners.tcp.1 = 127.0.0.1:$P2
		web_stomp.tcp.ip = 127.0.0.1
		web_stomp.tcp.port = $PORT
		stomp.listeners.tcp = none
	END
	export HOME=$T RABBITMQ_BASE=$T RABBITMQ_HOME=$home
	export RABBITMQ_NODENAME=zoo$PORT@localhost RABBITMQ_DIST_PORT=$P4 ERL_EPMD_PORT=$P3
	export RABBITMQ_CONFIG_FILE=$T/rabbit.conf RABBITMQ_ENABLED_PLUGINS_FILE=$T/plugins
	export RABBITMQ_ADVANCED_CONFIG_FILE=$T/none RABBITMQ_GENERATED_CONFIG_DIR=$T
	export RABBITMQ_MNESIA_BASE=$T/mnesia RABBITMQ_LOG_BASE=$T RABBITMQ_LOGS=$T/rabbit-log
	export RABBITMQ_PID_FILE=$T/pid RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 1"
	run_at "$P3" epmd -port "$P3" -address 127.0.0.1
	start "$home/sbin/rabbitmq-server"
	up_at "$PORT" 1000
}
# snapserver_with: Snapcast, its HTTP at $PORT, its control at $P1, its streams at $P2.
snapserver_with() {
	mkdir -p "$T/snap"
	mkfifo "$T/fifo"
	cat >"$T/snapserver.conf" <<-END
		[server]
		datadir = $T/snap
		[http]
		enabled = true
		bind_to_address = 127.0.0.1
		port = $PORT
		doc_root = $T/snap
		[tcp]
		enabled = true
		bind_to_address = 127.0.0.1
		port = $P1
		[stream]
		bind_to_address = 127.0.0.1
		port = $P2
		source = pipe://$T/fifo?name=x&mode=read
	END
	HOME=$T run_at "$PORT" snapserver -c "$T/snapserver.conf"
}
