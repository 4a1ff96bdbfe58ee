// SPDX-License-Identifier: MIT
// wspp MODE PORT VARIANT: an echo by WebSocket++ whose validate handler looks at the
// `origin`, the `resource` or the `protocol`, or refuses all (`never`).
#include <string>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

using server = websocketpp::server<websocketpp::config::asio>;
namespace status = websocketpp::http::status_code;

static std::string mode;
static bool fixed;

static bool speaks_stomp(server::connection_ptr peer)
{
	for (auto &name : peer->get_requested_subprotocols()) {
		if (name == "v12.stomp") {
			peer->select_subprotocol(name);
			return true;
		}
	}
	peer->set_status(status::bad_request);
	return false;
}

static bool valid(server::connection_ptr peer)
{
	if (mode == "protocol")
		return speaks_stomp(peer);
	if (fixed)
		return true;
	if (mode == "origin" && peer->get_request_header("Origin") != "https://app.example") {
		peer->set_status(status::forbidden);
		return false;
	}
	if (mode == "resource" && peer->get_resource() != "/stream") {
		peer->set_status(status::not_found);
		return false;
	}
	return mode != "never";
}

int main(int, char **words)
{
	mode = words[1];
	fixed = words[3] == std::string("fixed");
	server echo;
	echo.clear_access_channels(websocketpp::log::alevel::all);
	echo.clear_error_channels(websocketpp::log::elevel::all);
	echo.init_asio();
	echo.set_reuse_addr(true);
	echo.set_validate_handler([&](websocketpp::connection_hdl peer) {
		return valid(echo.get_con_from_hdl(peer));
	});
	echo.set_message_handler([&](websocketpp::connection_hdl peer, server::message_ptr message) {
		echo.send(peer, message->get_payload(), message->get_opcode());
	});
	echo.listen("127.0.0.1", words[2]);
	echo.start_accept();
	echo.run();
}
