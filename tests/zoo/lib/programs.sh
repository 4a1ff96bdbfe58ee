# SPDX-License-Identifier: MIT
# Sourced by lib/stack.sh: versions of libraries that are older or newer than those of the
# rest, and programs that bring a socket of their own. Where nothing else is said, they
# listen at the port that is named.

# sockets VERSION PORT [NAME [WORD]]: an echo by this version of node's ws, which is a
# number; see sockets.js.
sockets() {
	local package=ws-$1
	[ "$1" = 8 ] && package=ws
	run_at "$2" node "$LIB/sockets.js" "$2" "$variant" "$T" "$package" "${3:-open}" "${4:-}"
}
# guarded FRAMEWORK PORT [REASON]: see guarded.js.
guarded() { run_at "$2" node "$LIB/guarded.js" "$2" "$variant" "$T" "$1" "${3:-}"; }
# front_end NAME PORT [WORD]: a dev server; see dev_servers.js.
front_end() { run_at "$2" node "$LIB/dev_servers.js" "$2" "$variant" "$T" "$1" "${3:-}"; }
# node_bin NAME WORD...: the program of this name of npm's.
node_bin() { start node "$ZOO/node_modules/.bin/$1" "${@:2}"; }
# ruby_driver MODE PORT: see websocket_driver.rb.
ruby_driver() { run_at "$2" ruby "$LIB/websocket_driver.rb" "$2" "$1" "$variant"; }
# emacs_at PORT MODE: see echo.el.
emacs_at() { HOME=$T run_at "$1" emacs --batch -l "$LIB/echo.el" "$1" "$2"; }
# tomcat_ten MODE PORT: see TomcatTen.java.
tomcat_ten() {
	mkdir -p "$T/tomcat"
	run_at "$2" java -Xmx96m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData \
		-cp "$(printf '%s:' /usr/share/java/tomcat10-*.jar)$BUILD/java" \
		TomcatTen "$1" "$2" "$variant" "$T/tomcat"
	sleep 0.3 # It listens before it serves.
}

# beside PORT COMMAND...: a second server of a kind that is there already.
beside() {
	local T=$T/beside-$1
	mkdir -p "$T"
	elsewhere "$@"
}
# nginx_tls_site [LINES]: nginx by TLS before $P1, with these lines in its location.
nginx_tls_site() {
	nginx_with <<-END
		server { listen 127.0.0.1:$PORT ssl;
		  ssl_certificate $T/localhost.pem; ssl_certificate_key $T/localhost.key;
		  location / { proxy_pass http://127.0.0.1:$P1; $forward ${1:-} } }
	END
}
# squid_accelerates [LINES]: Squid before $P1, that lets the Upgrade through; the lines
# stand above the one that allows everything.
squid_accelerates() {
	squid_with accel defaultsite=localhost vhost <<-END
		cache_peer 127.0.0.1 parent $P1 0 no-query originserver
		http_upgrade_request_protocols OTHER allow all
		${1:-}
		http_access allow all
	END
}
# v2ray_with INBOUND [RULE]: V2Ray at $PORT, with this object's words for the protocol; the
# rule says what goes into the outbound "nowhere".
v2ray_with() {
	cat >"$T/v2ray.json" <<-END
		{"log": {"loglevel": "none"},
		 "inbounds": [{"port": $PORT, "listen": "127.0.0.1", $1}],
		 "outbounds": [{"protocol": "freedom"}, {"protocol": "blackhole", "tag": "nowhere"}],
		 "routing": {"rules": [${2:-}]}}
	END
	run_at "$PORT" v2ray -config "$T/v2ray.json"
}
v2ray_accounts='"accounts": [{"user": "ann", "pass": "s3"}]'

broadway_at() { XDG_RUNTIME_DIR=$T run_at "$1" broadwayd --address 127.0.0.1 --port "$1" ":7"; }
chromium_at() {
	HOME=$T run_at "$1" chromium --headless --no-sandbox --disable-gpu \
		--remote-debugging-port="$1" --user-data-dir="$T/chromium" about:blank
	sleep 0.5
}
# icecast_at PORT: Icecast without a stream.
icecast_at() {
	mkdir -p "$T/icecast"
	cat >"$T/icecast.xml" <<-END
		<icecast><limits><clients>9</clients><sources>2</sources></limits>
		<authentication><source-password>x</source-password><admin-user>a</admin-user>
		<admin-password>x</admin-password></authentication><hostname>radio.example</hostname>
		<listen-socket><port>$1</port><bind-address>127.0.0.1</bind-address></listen-socket>
		<paths><basedir>/usr/share/icecast2</basedir><logdir>$T/icecast</logdir>
		<webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot>
		</paths><logging><accesslog>a.log</accesslog><errorlog>e.log</errorlog>
		<loglevel>1</loglevel></logging><security><chroot>0</chroot>
		<changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>
	END
	chmod -R a+rwX "$T"
	run_at "$1" icecast2 -c "$T/icecast.xml"
}

# karma_at PORT [SETTING]: Karma without a browser and without tests.
karma_at() {
	cat >"$T/karma.conf.js" <<-END
		module.exports = (config) => config.set({ hostname: '127.0.0.1', port: $1,
		  listenAddress: '127.0.0.1', frameworks: [], files: [], browsers: [], plugins: [],
		  ${2:-} });
	END
	cd "$T"
	node_bin karma start "$T/karma.conf.js" --no-single-run
	up_at "$1"
}
# echo_server_at PORT: laravel-echo-server.
echo_server_at() {
	cat >"$T/laravel-echo-server.json" <<-END
		{"authHost": "http://127.0.0.1:1", "host": "127.0.0.1", "port": "$1", "clients": [],
		 "protocol": "http", "socketio": {}, "devMode": false,
		 "database": "sqlite", "databaseConfig": {"sqlite": {}}}
	END
	cd "$T"
	node_bin laravel-echo-server start
	up_at "$1"
}
# frontail_at PORT OPTION...: a log in a page.
frontail_at() {
	echo line >"$T/app.log"
	cd "$T"
	node_bin frontail -p "$1" -h 127.0.0.1 "${@:2}" "$T/app.log"
	up_at "$1"
}
light_server_at() {
	mkdir "$T/light"
	echo '<html><body></body></html>' >"$T/light/index.html"
	node_bin light-server -s "$T/light" -p "$1" -b 127.0.0.1 -w "$T/light/*.html"
	up_at "$1"
}
lounge_at() {
	LOUNGE_HOME=$T/lounge run_at "$1" node "$ZOO/node_modules/thelounge/index.js" start \
		-P "$1" -H 127.0.0.1 --public
}
# node_red_3_at PORT [SETTING]
node_red_3_at() {
	mkdir "$T/red"
	cat >"$T/red/settings.js" <<-END
		module.exports = { uiPort: $1, uiHost: '127.0.0.1', flowFile: 'f.json',
		  credentialSecret: false, logging: { console: { level: 'off' } }, ${2:-} };
	END
	run_at "$1" node "$ZOO/node_modules/node-red-3/red.js" -u "$T/red" -s "$T/red/settings.js"
	ask --max-time 20 "http://127.0.0.1:$1/" # It listens before it has read its nodes.
	sleep 0.5
}
# signaling_at PORT: what y-webrtc brings to find each other.
signaling_at() {
	PORT=$1 node_bin y-webrtc-signaling
	up_at "$1"
}
supergateway_at() {
	node_bin supergateway --stdio cat --outputTransport ws --port "$1" --messagePath /message
	up_at "$1"
	sleep 0.3
}

# newcomer NAME PORT [REASON]: see newcomers.js, and newcomers.py for newcomer_py.
newcomer() { run_at "$2" node "$LIB/newcomers.js" "$2" "$variant" "$T" "$1" "${3:-}"; }
newcomer_py() { run_at "$2" "$PY" "$LIB/newcomers.py" "$2" "$variant" "$1" "${3:-}"; }
anvil_at() { HOME=$T run_at "$1" node "$ZOO/node_modules/.bin/anvil" --silent --port "$@"; }
# mailbox_at PORT [OPTION...]: where clients of magic-wormhole meet.
mailbox_at() {
	HOME=$T run_at "$1" twist3 wormhole-mailbox --port "tcp:$1:interface=127.0.0.1" \
		--channel-db "$T/mailbox.sqlite" "${@:2}"
	sleep 0.3
}
stdio_at() {
	run_at "$1" node -r "$LIB/loopback.js" "$ZOO/node_modules/.bin/stdio-to-ws" -q -p "$1" cat
}
# testem_at PORT: Testem with no browser to test in.
testem_at() {
	mkdir -p "$T/testem"
	cd "$T/testem"
	echo '{"framework": "mocha", "src_files": []}' >testem.json
	run_at "$1" node "$ZOO/node_modules/testem/testem.js" server -p "$1" --host 127.0.0.1
}

# present_at PORT [OPTION...]: slides of Go's present.
present_at() {
	mkdir -p "$T/slides"
	cd "$T/slides"
	run_at "$1" present -http "127.0.0.1:$1" -content "$T/slides" \
		-base /usr/share/golang-golang-x-tools/present "${@:2}"
}
rtpengine_at() {
	run_at "$1" rtpengine --foreground --log-stderr --table=-1 --interface=127.0.0.1 \
		--listen-ng="127.0.0.1:$P3" --listen-cli="127.0.0.1:$P4" --listen-http="127.0.0.1:$1" \
		--port-min=20000 --port-max=20020 --pidfile="$T/rtpengine.pid"
}
# liquidsoap_at PORT [PORT2]: a harbor, and its telnet at another port.
liquidsoap_at() {
	local telnet=
	[ $# = 2 ] && telnet="settings.server.telnet.set(true)
settings.server.telnet.bind_addr.set(\"127.0.0.1\")
settings.server.telnet.port.set($2)"
	run_at "$1" liquidsoap "settings.init.allow_root.set(true)
$telnet
settings.harbor.bind_addrs.set([\"127.0.0.1\"])
output.dummy(fallible=true, input.harbor(\"live\", port=$1, user=\"source\", password=\"x\"))"
	[ $# = 1 ] || up_at "$2"
}
v2ray_plugin_at() { # PORT PATH
	run_at "$1" ss-v2ray-plugin -server -localAddr 127.0.0.1 -localPort "$1" \
		-remoteAddr 127.0.0.1 -remotePort "$P4" -path "$2" -host a.example
}
tty_share_at() {
	HOME=$T run_at "$1" script -qfc "tty-share --listen 127.0.0.1:$1 --command /bin/cat" /dev/null
}
livereload_py_at() {
	site "<html><body>docs</body></html>"
	run_at "$1" livereload -p "$1" --host 127.0.0.1 "$T/site"
}
# kore_at PORT [REASON]: see native/kore.c.
kore_at() {
	cat >"$T/kore.conf" <<-END
		load $BUILD/kore
		server plain {
			bind 127.0.0.1 $1
			tls no
		}
		workers 1
		domain * {
			attach plain
			route / page
			route /feed feed
		}
	END
	REASON=${2:-} run_at "$1" kore -f -n -r -c "$T/kore.conf"
	sleep 0.5 # It listens before its worker does.
}
# stranger NAME PORT [REASON]: see strangers.js.
stranger() { run_at "$2" node "$LIB/strangers.js" "$2" "$variant" "$T" "$1" "${3:-}"; }
# etcd_at PORT OPTION...: a store whose watches go over WebSockets, at /v3/watch.
etcd_at() {
	run_at "$1" etcd --data-dir "$T/etcd-$1" --log-level error \
		--listen-peer-urls "http://127.0.0.1:$P4" --listen-client-urls "http://127.0.0.1:$1" \
		--advertise-client-urls "http://127.0.0.1:$1" "${@:2}"
	sleep 0.5
}
etcd_tls_at() {
	run_at "$1" etcd --data-dir "$T/etcd-$1" --log-level error \
		--listen-peer-urls "http://127.0.0.1:$P4" --listen-client-urls "https://127.0.0.1:$1" \
		--advertise-client-urls "https://127.0.0.1:$1" \
		--cert-file "$T/localhost.pem" --key-file "$T/localhost.key" "${@:2}"
	sleep 0.5
}
# notebook_at PORT OPTION...: Jupyter Notebook 6, with one terminal.
notebook_at() {
	export HOME=$T JUPYTER_CONFIG_DIR=$T/config JUPYTER_DATA_DIR=$T/data
	export JUPYTER_RUNTIME_DIR=$T/runtime
	run_at "$1" jupyter-notebook --allow-root --no-browser --ip 127.0.0.1 --port "$1" \
		--NotebookApp.port_retries=0 --NotebookApp.token=k1 --NotebookApp.disable_check_xsrf=true \
		--NotebookApp.notebook_dir="$T" "${@:2}"
	for base in "" /lab; do
		ask -X POST -H "Authorization: token k1" "http://127.0.0.1:$1$base/api/terminals"
	done
}
# firefox_at PORT OPTION...: Firefox with its remote agent (WebDriver BiDi) at /session.
firefox_at() {
	mkdir -p "$T/profile"
	start env HOME="$T" MOZ_DISABLE_CONTENT_SANDBOX=1 firefox-esr --headless --no-remote \
		--profile "$T/profile" --remote-debugging-port "$1" "${@:2}"
	up_at "$1" 800
	sleep 1
}
# secured_at PORT MODE: Go's unrolled/secure and go-http-auth before gorilla/websocket.
secured_at() { run_at "$1" "$BUILD/securedserver" "$2" "$1" "$variant"; }
# flask_at, aiohttp_at PORT REASON: see flask_guards.py and aiohttp_guards.py.
flask_at() { run_at "$1" "$PY" "$LIB/flask_guards.py" "$1" "$variant" "$2"; }
aiohttp_at() { run_at "$1" "$PY" "$LIB/aiohttp_guards.py" "$1" "$variant" "$2"; }
# rack_at PORT REASON: see rack_guards.ru.
rack_at() {
	cd "$T"
	MODE=$2 VARIANT=$variant run_at "$1" thin -q -R "$LIB/rack_guards.ru" \
		-a 127.0.0.1 -p "$1" start
	sleep 0.3
}

# arrival NAME PORT [REASON]: see arrivals.js; uws_at PORT [REASON]: see uws.js.
arrival() { run_at "$2" node "$LIB/arrivals.js" "$2" "$variant" "$T" "$1" "${3:-}"; }
uws_at() { run_at "$1" node "$LIB/uws.js" "$1" "$variant" "$T" "${2:-}"; }
# rack_app: a socket at /live, below $T/rack, for servers of Rack.
rack_app() {
	mkdir -p "$T/rack/public" "$T/registry"
	chmod 755 "$T" "$T/rack" "$T/rack/public"
	cp "$LIB/live.ru" "$T/rack/config.ru"
}
# passenger_at PORT [OPTION...]: Passenger alone, before the Rack application.
passenger_at() {
	rack_app
	PASSENGER_INSTANCE_REGISTRY_DIR=$T/registry HOME=$T run_at "$1" passenger start \
		--engine builtin -a 127.0.0.1 -p "$1" -e production --log-file "$T/passenger-log" \
		--pid-file "$T/passenger.pid" --instance-registry-dir "$T/registry" \
		--app-type rack "${@:2}" "$T/rack"
}
# xpra_at PORT: an X server, shown to browsers.
xpra_at() {
	local display=$(($1 % 20000 + 100))
	export HOME=$T XDG_RUNTIME_DIR=$T
	start Xvfb ":$display" -screen 0 320x240x24
	leavings+=("rm -f /tmp/.X11-unix/X$display /tmp/.X$display-lock")
	sleep 1
	start xpra shadow ":$display" --daemon=no --bind-ws="127.0.0.1:$1" --mdns=no \
		--dbus-proxy=no --notifications=no --pulseaudio=no --webcam=no --html=on --printing=no
	up_at "$1" 800
}
# spice_at PORT: a machine that is off, whose screen is SPICE's.
spice_at() {
	run_at "$1" qemu-system-x86_64 -display none -nodefaults -machine none -S \
		-spice "port=$1,addr=127.0.0.1,disable-ticketing=on"
}
# whistle_at PORT RULES: a proxy for developers.
whistle_at() {
	run_at "$1" node -e "require('$ZOO/node_modules/whistle')({port: $1, host: '127.0.0.1',
		baseDir: '$T/whistle', mode: 'pureProxy', rules: {Default: \`$2\`}})"
}
