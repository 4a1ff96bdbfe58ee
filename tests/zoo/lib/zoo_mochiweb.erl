%% SPDX-License-Identifier: MIT
%% zoo_mochiweb:main with PORT MODE VARIANT as plain arguments: an echo by MochiWeb.
-module(zoo_mochiweb).
-export([main/0]).

main() ->
    [Port, Mode, Variant] = init:get_plain_arguments(),
    {ok, _} = mochiweb_http:start_link([
        {name, web}, {ip, "127.0.0.1"}, {port, list_to_integer(Port)},
        {loop, fun(Request) -> answer(Mode, Variant, Request) end}]),
    receive stop -> ok end.

echo(Request) ->
    {Enter, _} = mochiweb_websocket:upgrade_connection(Request,
        fun(Payload, State, Reply) -> [Reply(Part) || Part <- Payload], State end),
    Enter([]).

answer("plain", _, Request) ->
    case mochiweb_request:get_header_value("upgrade", Request) of
        undefined ->
            Headers = [{"Content-Type", "text/plain"}],
            mochiweb_request:respond({400, Headers, "expected websocket"}, Request);
        _ -> echo(Request)
    end;
answer("crash", "broken", Request) ->
    Query = mochiweb_request:parse_qs(Request),
    _ = list_to_integer(proplists:get_value("since", Query, "now")),
    echo(Request);
answer(_, _, Request) -> echo(Request).
