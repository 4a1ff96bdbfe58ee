# SPDX-License-Identifier: MIT
# ticker.tcl PORT: an echo of the subprotocol ticker.v1 by tcllib's websocket, which
# wants to be handed requests that somebody else has read.
package require websocket

proc echo {socket type message} {
	if {$type eq "text"} {
		::websocket::send $socket text $message
	}
}

proc on_connect {socket address port} {
	fconfigure $socket -translation crlf -blocking 0
	set ::request($socket) {}
	fileevent $socket readable [list on_line $socket]
}

proc on_line {socket} {
	if {[eof $socket]} {
		catch {close $socket}
		return
	}
	while {[gets $socket line] >= 0} {
		if {$line eq ""} {
			fileevent $socket readable {}
			answer $socket {*}$::request($socket)
			return
		}
		lappend ::request($socket) $line
	}
}

proc answer {socket first args} {
	set fields {}
	foreach line $args {
		regexp {^([^:]+):\s*(.*)$} $line - name value
		lappend fields $name $value
	}
	set path [lindex [split [lindex $first 1] ?] 0]
	if {[::websocket::test $::server $socket $path $fields]} {
		::websocket::upgrade $socket
	} else {
		puts $socket "HTTP/1.0 404 Not found\nContent-Type: text/plain\n\nNot found"
		flush $socket
		close $socket
	}
}

set ::server [socket -server on_connect -myaddr 127.0.0.1 [lindex $argv 0]]
::websocket::server $::server
::websocket::live $::server /ticker echo ticker.v1
vwait forever
