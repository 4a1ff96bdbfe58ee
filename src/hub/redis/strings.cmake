# SPDX-License-Identifier: MIT
#
# The scripts of the backplane as strings of C: cmake -DSCRIPTS="A.lua;B.lua"
# -DOUT=FILE -P strings.cmake. Comments are not sent to Redis. A WORD_LIKE_THIS
# is a constant of C; one that C does not know does not compile.
cmake_minimum_required(VERSION 3.22)
set(constant "[A-Z]+(_[A-Z]+)+")

# Not with file(STRINGS): brackets and semicolons are those of Lua, not of a list.
function(read_script file ret)
	file(READ ${file} text)
	string(PREPEND text "\n")
	string(REGEX REPLACE "\n[ \t]*--[^\n]*" "" text "${text}")
	string(REGEX REPLACE "\n+" "\n" text "${text}")
	string(REGEX REPLACE "^\n" "" text "${text}")
	set(${ret} "${text}" PARENT_SCOPE)
endfunction()

function(quote text ret)
	string(REPLACE "\\" "\\\\" text "${text}")
	string(REPLACE "\"" "\\\"" text "${text}")
	string(REGEX REPLACE "(${constant})" "\" NUMBER(\\1) \"" text "${text}")
	string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
	set(${ret} "\t\"${text}\"" PARENT_SCOPE)
endfunction()

set(all "/* Made of the scripts in src/hub/redis, comments apart. */\n")
foreach(script ${SCRIPTS})
	get_filename_component(name ${script} NAME_WE)
	read_script(${script} text)
	string(REGEX MATCHALL "${constant}" constants "${text}")
	list(REMOVE_DUPLICATES constants)
	foreach(one ${constants})
		string(APPEND all "_Static_assert(${one} > 0, \"of ${name}.lua\");\n")
	endforeach()
	quote("${text}" text)
	string(APPEND all "static const char ${name}[] =\n${text};\n")
endforeach()
file(WRITE ${OUT} "${all}")
