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
library() { run_at "${2:-$PORT}" node "$LIB/library.js" "${2:-$PORT}" "${3:-$variant}" "$1"; }
ruby_server() { run_at "${2:-$PORT}" ruby "$LIB/em_websocket.rb" "${2:-$PORT}" "$1" "$variant"; }
gin_server() { run_at "${2:-$PORT}" "$BUILD/ginserver" "$1" "${2:-$PORT}" "$variant"; }
# native PROGRAM MODE [PORT [VARIANT]]: see lib/native.
native() { run_at "${3:-$PORT}" "$BUILD/$1" "$2" "${3:-$PORT}" "${4:-$variant}"; }
qt_server() { QT_QPA_PLATFORM=offscreen python_at qt_websockets "$1"; }
php_server() { run_at "$PORT" php "$LIB/php_websocket.php" "$PORT" "$1" "$variant"; }
twiggy_server() { MODE=$1 run_at "$PORT" twiggy --listen "127.0.0.1:$PORT" "$LIB/twiggy.psgi"; }
jetty_server() {
	run_at "$PORT" java -Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData \
		-cp "$(printf '%s:' /usr/share/java/jetty9-*.jar)/usr/share/java/servlet-api.jar:$BUILD/java" \
		JettyServer "$1" "$PORT" "$variant"
}
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

# What forgets the Upgrade in nginx: nothing is said, or HTTP/1.1 alone.
forward_host='proxy_set_header Host $http_host;'
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
# squid_site OPTION...: Squid as an accelerator before $P1, that forgets the Upgrade.
squid_site() {
	chmod 777 "$T"
	cat >"$T/squid.conf" <<-END
		http_port 127.0.0.1:$PORT accel defaultsite=127.0.0.1:$PORT $1
		cache_peer 127.0.0.1 parent $P1 0 no-query originserver
		http_access allow all
		$(either "" "http_upgrade_request_protocols websocket allow all")
		pid_filename none
		cache deny all
		cache_log $T/cache.log
		access_log none
		cache_effective_user proxy
		shutdown_lifetime 0
	END
	# Its shared memory goes by the service name; leave none behind.
	trap 'leave; rm -f /dev/shm/zoo$PORT-*' EXIT
	run_at "$PORT" squid -N -n "zoo$PORT" -f "$T/squid.conf"
}
# traffic_server_with: Apache Traffic Server with the rules of remap.config.
traffic_server_with() {
	local root=$T/ats
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
		CONFIG proxy.config.http.server_ports STRING $PORT:ip-in=127.0.0.1
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
	trap 'nft delete table inet zoo$PORT; leave' EXIT
	nft -f - <<-END || exit 1
		table inet zoo$PORT {
		  chain input { type filter hook input priority 0; $1; }
		}
	END
}
