%% SPDX-License-Identifier: MIT
%% zoo_cowboy:main with PORT MODE VARIANT as plain arguments: an echo by Cowboy with reasons
%% to refuse, by TLS if there is a $CERTIFICATE.
-module(zoo_cowboy).
-export([main/0, init/2, websocket_init/1, websocket_handle/2, websocket_info/2]).

main() ->
    [Port, Mode, Variant] = init:get_plain_arguments(),
    State = {Mode, Variant},
    {ok, _} = application:ensure_all_started(cowboy),
    Routes = [{"/live/websocket", ?MODULE, State}, {"/", ?MODULE, State}],
    Host = case State of {"host", "broken"} -> "live.example"; _ -> '_' end,
    Limits = case State of
        {"header", "broken"} -> #{max_header_value_length => 1024};
        _ -> #{}
    end,
    Options = Limits#{env => #{dispatch => cowboy_router:compile([{Host, Routes}])}},
    Listens = [{ip, {127, 0, 0, 1}}, {port, list_to_integer(Port)}],
    {ok, _} = start(os:getenv("CERTIFICATE"), Listens, State, Options),
    receive stop -> ok end.

start(false, Listens, _, Options) ->
    cowboy:start_clear(web, #{socket_opts => Listens, num_acceptors => 2}, Options);
start(Certificate, Listens, State, Options) ->
    Tls = [{certfile, Certificate}, {keyfile, os:getenv("KEY")} | tls(State)],
    cowboy:start_tls(web, #{socket_opts => Listens ++ Tls, num_acceptors => 2}, Options).

tls({"tls11", "broken"}) -> [{versions, ['tlsv1.1']}];
tls({"client certificate", _}) ->
    [{verify, verify_peer}, {fail_if_no_peer_cert, true}, {cacertfile, os:getenv("CLIENT_CA")}];
tls(_) -> [].

init(Request, {_, "fixed"} = State) ->
    {cowboy_websocket, Request, State};
init(Request, {"origin", _} = State) ->
    case cowboy_req:header(<<"origin">>, Request, <<"https://live.example">>) of
        <<"https://live.example">> -> {cowboy_websocket, Request, State};
        _ -> {ok, cowboy_req:reply(403, Request), State}
    end;
init(Request, {"token", _} = State) ->
    case cowboy_req:match_qs([{token, [], undefined}], Request) of
        #{token := <<"SFMy.ok">>} -> {cowboy_websocket, Request, State};
        _ -> {ok, cowboy_req:reply(403, Request), State}
    end;
init(Request, {"version", _} = State) ->
    #{vsn := _} = cowboy_req:match_qs([vsn], Request),
    {cowboy_websocket, Request, State};
init(Request, {"cookie", _} = State) ->
    _ = hd(cowboy_req:parse_cookies(Request)),
    {cowboy_websocket, Request, State};
init(Request, {"idle", _} = State) ->
    {cowboy_websocket, Request, State, #{idle_timeout => 2500}};
init(Request, State) ->
    {cowboy_websocket, Request, State}.

websocket_init({"topic", "broken"} = State) ->
    Error = <<"{\"event\":\"error\",\"reason\":\"unmatched topic\"}">>,
    {[{text, Error}, {close, 1000, <<>>}], State};
websocket_init(State) -> {ok, State}.

websocket_handle({text, Text}, State) -> {reply, {text, Text}, State};
websocket_handle(_, State) -> {ok, State}.

websocket_info(_, State) -> {ok, State}.
