# SPDX-License-Identifier: MIT
# Sourced by lib/stack.sh: servers of further languages and runtimes, and programs that
# developers run. Where nothing else is said, they listen at the port that is named.

# tls_environment [CLIENT_CA]: what bun.ts, deno.ts and zoo_cowboy.erl want for TLS.
tls_environment() { export CERTIFICATE=$T/localhost.pem KEY=$T/localhost.key CLIENT_CA=${1:-}; }

# NAME_at PORT MODE: the servers of lib.
bun_at() {
	run_at "$1" "$ZOO/node_modules/@oven/bun-linux-x64/bin/bun" "$LIB/bun.ts" "$1" "$2" "$variant"
}
deno_at() {
	DENO_DIR=$T/deno DENO_NO_UPDATE_CHECK=1 run_at "$1" \
		"$ZOO/node_modules/@deno/linux-x64-glibc/deno" run --no-lock \
		--allow-net --allow-env --allow-read "$LIB/deno.ts" "$1" "$2" "$variant"
}
workerd_at() {
	start node "$LIB/workerd.mjs" "$1" "$2" "$variant"
	for _ in {1..300}; do
		grep -q ^UP "$T/log" && return
		sleep 0.1
	done
	tail "$T/log" >&2
	exit 1
}
# erlang_at PORT MODULE MODE OPTION...: its source is lib/MODULE.erl.
erlang_at() {
	erlc -o "$T" "$LIB/$2.erl"
	cd "$T" # where Erlang would leave a dump
	HOME=$T run_at "$1" erl -noshell -kernel logger_level none -pa "$T" "${@:4}" \
		-s "$2" main -extra "$1" "$3" "$variant"
}
# Debian has Cowboy among RabbitMQ's plugins.
cowboy_at() {
	erlang_at "$1" zoo_cowboy "$2" -pa \
		/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins/{cowboy,cowlib,ranch}-*/ebin
}
mochiweb_at() { erlang_at "$1" zoo_mochiweb "$2"; }
netty_at() {
	run_at "$1" java -Xmx96m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData \
		-cp "$(printf '%s:' /usr/share/java/netty-*.jar)$BUILD/java" \
		NettyServer "$2" "$1" "$variant"
}
lua_http_at() { run_at "$1" lua5.1 "$LIB/lua_http.lua" "$1" "$2" "$variant"; }
pike_at() { run_at "$1" pike "$LIB/chat.pike" "$1" "$variant"; }
prolog_at() { run_at "$1" swipl "$LIB/board.prolog" "$1" "$2" "$variant"; } # PORT WORKERS
tcl_at() { run_at "$1" tclsh "$LIB/ticker.tcl" "$1"; }
shiny_at() {
	cat >"$T/app.R" <<-END
		suppressMessages(library(shiny))
		runApp(shinyApp(fluidPage(textOutput("text")), function(input, output) {}),
		       port = $1, host = "127.0.0.1", launch.browser = FALSE, quiet = TRUE)
	END
	HOME=$T run_at "$1" Rscript "$T/app.R"
}
python_websocketd_at() {
	mkdir "$T/www"
	run_at "$1" "$PY" "$LIB/python_websocketd.py" "$1" "$variant" "$T/www"
}

# project: the folder of a front end, where its program runs.
project() {
	mkdir -p "$T/project/src"
	ln -s "$ZOO/node_modules" "$T/project/node_modules"
	echo '{"private":true}' >"$T/project/package.json"
	echo 'console.log(1)' | tee "$T/project/index.js" >"$T/project/src/index.js"
	cd "$T/project"
	export HOME=$T
}
next_at() { # PORT [SETTING]
	project
	mkdir pages
	echo 'export default function Page() { return <h1>x</h1> }' >pages/index.js
	echo "module.exports = { ${2:-} }" >next.config.js
	NEXT_TELEMETRY_DISABLED=1 run_at "$1" \
		node "$ZOO/node_modules/next/dist/bin/next" dev -p "$1" -H 127.0.0.1
	sleep 1.5
}
rsbuild_at() {
	project
	run_at "$1" node "$ZOO/node_modules/@rsbuild/core/bin/rsbuild.js" dev \
		--port "$1" --host 127.0.0.1
	sleep 1
}
metro_at() {
	project
	echo 'module.exports = {};' >metro.config.js
	run_at "$1" node "$ZOO/node_modules/metro/src/cli.js" serve --port "$1" --host 127.0.0.1
}
storybook_at() {
	project
	mkdir .storybook
	cat >.storybook/main.js <<-END
		export default { stories: ["../src/*.stories.js"], framework: "@storybook/html-vite",
		  core: { disableTelemetry: true } };
	END
	echo 'export default { title: "A" }; export const One = { render: () => "<b>x</b>" };' \
		>src/a.stories.js
	run_at "$1" node "$ZOO/node_modules/storybook/dist/bin/dispatcher.js" dev \
		-p "$1" -h 127.0.0.1 --ci --no-open
	sleep 1
}
parcel_at() {
	project
	echo '<!doctype html><script type=module src=index.js></script>' >index.html
	run_at "$1" node "$ZOO/node_modules/parcel/lib/bin.js" serve index.html -p "$1" \
		--host 127.0.0.1 --no-cache
	sleep 2
}
# nitro_at PORT true|false: Nitro with experimental.websocket or without.
nitro_at() {
	project
	mkdir -p routes
	echo "export default defineNitroConfig({ experimental: { websocket: $2 },
		compatibilityDate: '2025-01-01' });" >nitro.config.ts
	echo "export default defineWebSocketHandler({
		message(peer, message) { peer.send(message.text()) } });" >routes/_ws.ts
	echo "export default defineEventHandler(() => ({ ok: true }));" >routes/index.ts
	node "$ZOO/node_modules/nitropack/dist/cli/index.mjs" build >>"$T/log" 2>&1
	HOST=127.0.0.1 PORT=$1 run_at "$1" node .output/server/index.mjs
}
hugo_at() { # PORT OPTION...
	mkdir -p "$T/site/content" "$T/site/layouts/_default"
	cat >"$T/site/config.toml" <<-END
		baseURL = "https://blog.example/"
		title = "Blog"
		disableKinds = ["taxonomy", "term", "RSS", "sitemap"]
	END
	echo '<!doctype html><head><title>{{ .Title }}</title></head><body>{{ .Content }}</body>' |
		tee "$T/site/layouts/index.html" >"$T/site/layouts/_default/single.html"
	cd "$T/site"
	HOME=$T run_at "$1" hugo server --bind 127.0.0.1 -p "$1" "${@:2}"
}
# jekyll_at PORT PORT2: its pages, and the socket by which they reload.
jekyll_at() {
	mkdir "$T/blog"
	cd "$T/blog"
	echo 'title: Blog' >_config.yml
	printf '%s\n' --- --- '<html><head></head><body>hi</body></html>' >index.html
	run_at "$1" jekyll serve --host 127.0.0.1 --port "$1" --livereload --livereload-port "$2"
	up_at "$2"
}
playwright_at() { # PORT PATH
	run_at "$1" node "$ZOO/node_modules/playwright-core/cli.js" run-server \
		--host 127.0.0.1 --port "$1" --path "$2"
}
wstunnel_at() { run_at "$1" node "$ZOO/node_modules/wstunnel/bin/wstt.js" -s "127.0.0.1:$1"; }
mitmweb_at() { # PORT PORT2
	run_at "$1" mitmweb --no-web-open-browser --web-host 127.0.0.1 --web-port "$1" \
		--listen-host 127.0.0.1 -p "$2" --set "confdir=$T/mitm"
}
# qemu_at PORT PORT2: the VNC of a machine that is halted; by WebSocket at the first.
qemu_at() {
	run_at "$1" qemu-system-x86_64 -M isapc -accel tcg -cpu 486 -m 8 -nodefaults -S \
		-display none -monitor none -vnc "127.0.0.1:$(($2 - 5900)),websocket=$1"
}
goaccess_at() { # PORT OPTION...
	echo '127.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "x"' \
		>"$T/access.log"
	run_at "$1" goaccess "$T/access.log" --log-format=COMBINED --no-global-config \
		--real-time-html --addr=127.0.0.1 --port="$1" -o "$T/report.html" "${@:2}"
}
# inspircd_with MODE: IRC by WebSocket at $PORT, and plain at $P1.
inspircd_with() {
	{
		cat <<-END
			<server name="irc.example" description="IRC" network="Example">
			<admin name="a" nick="a" email="a@irc.example">
			<bind address="127.0.0.1" port="$P1" type="clients">
			<bind address="127.0.0.1" port="$PORT" type="clients" hook="websocket">
			<connect name="main" allow="*" timeout="90" localmax="30" globalmax="30"
			 useident="no" hardsendq="1M" recvq="8K" pingfreq="2m" modes="+x">
			<pid file="$T/inspircd.pid">
			<path datadir="$T" logdir="$T" runtimedir="$T">
			<module name="sha1">
			<module name="websocket">
			<websocket defaultmode="$1">
		END
		cat
	} >"$T/inspircd.conf"
	run_at "$PORT" inspircd --config "$T/inspircd.conf" --nofork --runasroot
}
# janus_with [LINE]: Janus' WebSocket at $PORT, its admin's at $P2.
janus_with() {
	local others
	others=$(printf 'libjanus_%s.so,' http nanomsg mqtt rabbitmq pfunix)
	mkdir -p "$T/janus" "$T/none"
	cat >"$T/janus/janus.jcfg" <<-END
		general: {
		  admin_secret = "x"
		  configs_folder = "$T/janus"
		  plugins_folder = "$T/none"
		}
		transports: {
		  disable = "${others%,}"
		}
		nat: {}
	END
	cat >"$T/janus/janus.transport.websockets.jcfg" <<-END
		general: {
		  json = "indented"
		  ws = true
		  ws_port = $PORT
		  ws_interface = "lo"
		  wss = false
		  ${1:-}
		}
		admin: {
		  admin_ws = true
		  admin_ws_port = $P2
		  admin_ws_interface = "lo"
		}
	END
	run_at "$PORT" janus -F "$T/janus" -C "$T/janus/janus.jcfg"
}
# pushpin_with ROUTE: Pushpin with its folders below $T.
pushpin_with() {
	local root=$T/pushpin
	mkdir -p "$root/run" "$root/log"
	sed "s#ipc:///var/run/zurl/zurl-#ipc://$root/run/pushpin-zurl-#g" \
		/usr/lib/pushpin/internal.conf >"$root/internal.conf"
	sed "s#^include=.*#include=$root/internal.conf#
		s#^rundir=.*#rundir=$root/run#
		s#^logdir=.*#logdir=$root/log#
		s#^http_port=.*#http_port=127.0.0.1:$PORT#
		s#^services=.*#services=condure,zurl,pushpin-proxy,pushpin-handler#
		s#^push_in_spec=.*#push_in_spec=ipc://$root/run/p1#
		s#^push_in_sub_specs=.*#push_in_sub_specs=ipc://$root/run/p2#
		s#^command_spec=tcp.*#command_spec=ipc://$root/run/p3#
		s#^push_in_http_port=.*#push_in_http_port=$P3#" \
		/etc/pushpin/pushpin.conf >"$root/pushpin.conf"
	echo "$1" >"$root/routes"
	run_at "$PORT" pushpin --config="$root/pushpin.conf"
	sleep 0.7
}
# meshcentral_at PORT [JSON]: MeshCentral with the account ann; more of its domain.
meshcentral_at() {
	mkdir "$T/mesh"
	cat >"$T/mesh/config.json" <<-END
		{"settings": {"port": $1, "portBind": "127.0.0.1", "tlsOffload": "127.0.0.1",
		  "redirPort": 0, "mpsPort": 0, "cert": "mesh.example", "selfUpdate": false,
		  "wanOnly": true, "exactPorts": true},
		 "domains": {"": {"title": "x" ${2:-}}}}
	END
	node "$ZOO/node_modules/meshcentral/meshcentral.js" --datapath "$T/mesh" \
		--createaccount ann --pass Tulip-77x --email ann@mesh.example >>"$T/log" 2>&1
	start node "$ZOO/node_modules/meshcentral/meshcentral.js" --datapath "$T/mesh"
	up_at "$1" 1000
}
sockjs_at() { run_at "$1" "$BUILD/sockjsserver" "$1"; }
