# SPDX-License-Identifier: MIT
# Takes away what MANIFEST has, which is what the last `make install` of this
# build put in place, and sesame's own folders when they are empty then.
cmake_policy(VERSION 3.22)
if(NOT EXISTS ${MANIFEST})
	message(FATAL_ERROR "There is no ${MANIFEST}, which tells what was "
		"installed. `make install` writes it; with the same PREFIX, what "
		"it installs once more can be taken away.")
endif()
file(STRINGS ${MANIFEST} files)
foreach(file IN LISTS files)
	set(file "$ENV{DESTDIR}${file}")
	file(REMOVE ${file})
	if(EXISTS ${file} OR IS_SYMLINK ${file})
		message(FATAL_ERROR "${file} cannot be removed")
	endif()
	get_filename_component(folder ${file} DIRECTORY)
	while(folder MATCHES "/(include|share|doc)/sesame(/|$)")
		file(GLOB left ${folder}/*)
		if(left)
			break()
		endif()
		file(REMOVE_RECURSE ${folder})
		get_filename_component(folder ${folder} DIRECTORY)
	endwhile()
endforeach()
list(LENGTH files n)
message(STATUS "${n} files were removed")
