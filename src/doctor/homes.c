/* SPDX-License-Identifier: MIT */
/*
 * Where software that gives its name away has its WebSocket, by its own
 * documentation. A name costs one handshake if it misleads, so it is looked for
 * in the plain beginning of an answer and no further.
 */
#include "doctor/harvest_inner.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Names stand in titles, in the Server field and in short refusals. */
#define BEGINNING 4096

#define ENGINE "/socket.io/?EIO=4&transport=websocket"

static const struct {
	const char *name, *path;
} named[] = {
	{"aria2", "/jsonrpc"},
	{"snapcast", "/jsonrpc"},
	{"snapserver", "/jsonrpc"},
	{"snapweb", "/jsonrpc"},
	{"mopidy", "/mopidy/ws"},
	{"prosody", "/xmpp-websocket"},
	{"jitsi meet", "/xmpp-websocket"},
	{"ejabberd", "/websocket"},
	{"ejabberd", "/ws"},
	{"node-red", "/comms"},
	{"gotify", "/stream"},
	{"mattermost", "/api/v4/websocket"},
	{"rocket.chat", "/websocket"},
	{"vaultwarden", "/notifications/hub"},
	{"moonraker", "/websocket"},
	{"octoprint", "/sockjs/websocket"},
	{"centrifugo", "/connection/websocket"},
	{"hasura", "/v1/graphql"},
	{"directus", "/websocket"},
	{"appwrite", "/v1/realtime"},
	{"zigbee2mqtt", "/api"},
	{"nextcloud", "/push/ws"},
	{"etherpad", ENGINE},
	{"hedgedoc", ENGINE},
	{"uptime kuma", ENGINE},
	{"the lounge", ENGINE},
	{"homebridge", ENGINE},
	{"jellyfin", "/socket"},
	{"emby", "/embywebsocket"},
	{"kodi", "/jsonrpc"},
	{"kiwi irc", "/webirc/websocket/"},
	{"home assistant", "/api/websocket"},
	{"grafana", "/api/live/ws"},
	{"cockpit", "/cockpit/socket"},
	{"httpd.js", "/session"}, /* Firefox' remote agent */
	{"guacamole", "/guacamole/websocket-tunnel"},
	{"guacamole", "/websocket-tunnel"},
	{"jupyter", "/terminals/websocket/1"},
	{"streamlit", "/_stcore/stream"},
	{"ttyd", "/ws"},
	{"wetty", "/wetty/socket.io/?EIO=4&transport=websocket"},
	{"webssh", "/ws"},
	{"jenkins", "/cli/ws"},
	{"rabbitmq", "/ws"},
	{"emqx", "/mqtt"},
	{"hivemq", "/mqtt"},
	{"asterisk", "/ws"},
	{"janus", "/janus"},
	{"browsersync", "/browser-sync/socket.io/?EIO=4&transport=websocket"},
	{"webpack-plugin-serve", "/wps"},
	{"webpack", "/ws"},
	{"livereload", "/livereload"},
	{"webdis", "/.json"},
	{"__meteor_runtime_config__", "/websocket"},
	{"data-phx-main", "/live/websocket"}, /* Phoenix LiveView */
	{"livebook", "/live/websocket"},
	{"action-cable-url", "/cable"},
	{"blazor.server.js", "/_blazor"},
	{"blazor.web.js", "/_blazor"},
	{"shiny.min.js", "/websocket/"},
	{"storybook", "/storybook-server-channel"},
	{"rsbuild", "/rsbuild-hmr"},
	{"/_next/static", "/_next/webpack-hmr"},
	{"/_next/static", "/_next/hmr"},
	{"meshcentral", "/control.ashx"},
	{"qemu vnc", "/"},
	{"novnc", "/websockify"},
	{"traccar", "/api/socket"},
	{"openhab", "/ws"},
	{"surrealdb", "/rpc"},
	{"livekit", "/rtc"},
	{"gradio", "/queue/join"},
	{"comfyui", "/ws"},
	{"sonarr", "/signalr/messages"},
	{"radarr", "/signalr/messages"},
	{"plex media server", "/:/websockets/notifications"},
	{"portainer", "/api/websocket/exec"},
	{"nodebb", ENGINE},
};

static bool is_named(const struct doctor_probe *p, struct bytes name)
{
	return bytes_contains_nocase(doctor_field(p, "Server"), name) ||
	       bytes_contains_nocase(bytes_first(doctor_body(p), BEGINNING),
				     name);
}

void doctor_add_homes(const struct doctor_chart *chart, struct doctor_values *v)
{
	for (size_t i = 0; i < LEN(named); i++)
		for (size_t k = 0; k < chart->n_probes; k++)
			if (is_named(chart->probe[k],
				     bytes_of_str(named[i].name))) {
				doctor_add_value(v, "%s", named[i].path);
				break;
			}
}
