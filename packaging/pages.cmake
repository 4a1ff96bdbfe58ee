# SPDX-License-Identifier: MIT
# The pages of TOP for users, written below OUT as they are to be installed: a
# link to what is not installed becomes its text.
cmake_policy(VERSION 3.22)
file(GLOB_RECURSE installed RELATIVE ${TOP} LIST_DIRECTORIES true
	${TOP}/clients/* ${TOP}/docs/decisions/* ${TOP}/examples/*)
file(GLOB pages RELATIVE ${TOP} ${TOP}/docs/*.*)
list(APPEND installed ${pages} clients docs/decisions examples
	README.md CHANGELOG.md SECURITY.md LICENSE)

function(write_page page)
	get_filename_component(folder ${page} DIRECTORY)
	file(READ ${TOP}/${page} text)
	string(REGEX MATCHALL "\\([^][()#:; ]+[)#]" links "${text}")
	list(REMOVE_DUPLICATES links)
	foreach(link IN LISTS links)
		string(REGEX REPLACE "[()#]" "" target "${link}")
		get_filename_component(place "${TOP}/${folder}/${target}" ABSOLUTE)
		file(RELATIVE_PATH place ${TOP} "${place}")
		if(place IN_LIST installed)
			continue()
		endif()
		string(REGEX REPLACE "([.+*?^$|\\])" "\\\\\\1" target "${target}")
		string(REGEX REPLACE "\\[([^][]*)\\]\\(${target}(#[^()]*)?\\)" "\\1"
			text "${text}")
	endforeach()
	file(WRITE ${OUT}/${page} "${text}")
endfunction()

file(REMOVE_RECURSE ${OUT})
foreach(page IN LISTS installed)
	if(page MATCHES "\\.md$")
		write_page(${page})
	endif()
endforeach()
