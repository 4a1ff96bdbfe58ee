// SPDX-License-Identifier: MIT
// restinio MODE PORT VARIANT: RESTinio with an echo at /desk; MODE says what it refuses.
#include <map>
#include <restinio/all.hpp>
#include <restinio/websocket/websocket.hpp>
#include <string>

namespace sockets = restinio::websocket::basic;
using router_t = restinio::router::express_router_t<>;
using request_t = restinio::request_handle_t;

struct traits : restinio::default_single_thread_traits_t {
	using request_handler_t = router_t;
};

static std::map<std::uint64_t, sockets::ws_handle_t> connections;

static std::string field(const request_t &request, restinio::http_field name)
{
	return request->header().get_field_or(name, "");
}

static bool has(const request_t &request, const char *name, const std::string &value)
{
	auto query = restinio::parse_query(request->header().query());
	return query.has(name) && (value.empty() || query[name] == value);
}

static auto say(const request_t &request, restinio::http_status_line_t status, const char *text)
{
	return request->create_response(status)
		.append_header_date_field()
		.append_header("Content-Type", "text/plain; charset=utf-8")
		.set_body(text)
		.connection_close()
		.done();
}

static void echo(sockets::ws_handle_t socket, sockets::message_handle_t message)
{
	auto opcode = message->opcode();
	if (opcode == sockets::opcode_t::text_frame || opcode == sockets::opcode_t::binary_frame) {
		socket->send_message(*message);
	} else if (opcode == sockets::opcode_t::ping_frame) {
		auto pong = *message;
		pong.set_opcode(sockets::opcode_t::pong_frame);
		socket->send_message(pong);
	} else if (opcode == sockets::opcode_t::connection_close_frame) {
		connections.erase(socket->connection_id());
	}
}

int main(int count, char **words)
{
	std::string mode = words[1], variant = count > 3 ? words[3] : "";
	auto desk = [mode, variant](const request_t &request, auto) {
		if (request->header().connection() != restinio::http_connection_header_t::upgrade)
			return restinio::request_rejected();
		auto origin = field(request, restinio::http_field::origin);
		if (mode == "token" && !has(request, "token", "k1"))
			return say(request, restinio::status_unauthorized(),
				   "token missing or invalid");
		if (mode == "room" && !has(request, "room", ""))
			return say(request, restinio::status_bad_request(),
				   "query parameter 'room' is required");
		if (mode == "same" && !origin.empty() &&
		    origin.substr(origin.find("//") + 2) != field(request, restinio::http_field::host))
			return say(request, restinio::status_forbidden(), "cross-origin request");
		if (mode == "full" && variant != "fixed")
			return say(request, restinio::status_service_unavailable(),
				   "too many connections");
		auto socket =
			sockets::upgrade<traits>(*request, sockets::activation_t::immediate, echo);
		connections.emplace(socket->connection_id(), socket);
		return restinio::request_accepted();
	};
	auto page = [](const request_t &request, auto) {
		return request->create_response()
			.append_header("Server", "RESTinio")
			.set_body("desk")
			.done();
	};
	auto router = std::make_unique<router_t>();
	router->http_get("/desk", desk);
	router->http_get("/", page);
	restinio::run(restinio::on_this_thread<traits>()
			      .address("127.0.0.1")
			      .port(std::stoi(words[2]))
			      .request_handler(std::move(router))
			      .cleanup_func([] { connections.clear(); }));
}
