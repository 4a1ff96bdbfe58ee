%% SPDX-License-Identifier: MIT
%% An echo by Yaws, for the origin of $ALLOWED_ORIGIN alone if there is one.
-module(ws_yaws).
-export([handle_message/1, out/1]).

handle_message({text, Message}) -> {reply, {text, Message}};
handle_message({binary, Message}) -> {reply, {binary, Message}};
handle_message({close, Status, _}) -> {close, Status};
handle_message(_) -> noreply.

out(_) ->
    Options = case os:getenv("ALLOWED_ORIGIN", "") of
        "" -> [];
        Origin -> [{origin, Origin}]
    end,
    {websocket, ws_yaws, Options}.
