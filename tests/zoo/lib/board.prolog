% SPDX-License-Identifier: MIT
% board.prolog PORT WORKERS VARIANT: an echo by SWI-Prolog's HTTP server, at /ws; at
% /board with parameters, and at /slow in the worker itself.
:- use_module(library(http/thread_httpd)).
:- use_module(library(http/http_dispatch)).
:- use_module(library(http/http_parameters)).
:- use_module(library(http/websocket)).
:- dynamic fixed/0.
:- http_handler(root(.), page, []).
:- http_handler(root(ws), ws, [spawn([])]).
:- http_handler(root(slow), ws, []).
:- http_handler(root(board), board, [spawn([])]).

page(_) :-
	format('Content-type: text/html~n~n<h1>Prolog</h1>~n').

ws(Request) :-
	http_upgrade_to_websocket(echo, [], Request).

board(Request) :-
	(   fixed
	->  true
	;   http_parameters(Request, [user(_, [atom]), level(_, [integer])])
	),
	ws(Request).

echo(Socket) :-
	ws_receive(Socket, Message),
	(   Message.opcode == close
	->  true
	;   ws_send(Socket, Message),
	    echo(Socket)
	).

main :-
	current_prolog_flag(argv, [PortText, WorkersText, Variant|_]),
	atom_number(PortText, Port),
	atom_number(WorkersText, Workers),
	(   Variant == fixed
	->  assertz(fixed), Pool = 4
	;   Pool = Workers
	),
	http_server(http_dispatch, [port('127.0.0.1':Port), workers(Pool)]),
	thread_get_message(stop).
:- initialization(main, main).
