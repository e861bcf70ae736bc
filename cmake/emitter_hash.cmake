# What the code in the cache depends on, besides its key: the sources of the code generator. Their hash becomes a
# string in the binary; no number has to be raised by hand when an emitter changes.
#
# As a script (cmake -DOUT=FILE -DSOURCES=A|B -P emitter_hash.cmake) it writes the file.
if(OUT)
  string(REPLACE "|" ";" SOURCES "${SOURCES}")
  set(ALL "")
  foreach(source ${SOURCES})
    file(SHA256 ${source} HASH)
    string(APPEND ALL ${HASH})
  endforeach()
  string(SHA256 HASH "${ALL}")
  file(WRITE ${OUT}
    "namespace rnnc {\nextern const char* const kEmitterHash;\nconst char* const kEmitterHash = \"${HASH}\";\n}\n")
  return()
endif()

set(EMITTER_HASH_CPP ${CMAKE_BINARY_DIR}/emitter_hash.cpp)
file(GLOB EMITTER_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/codegen/*.cpp ${CMAKE_SOURCE_DIR}/codegen/*.h)
list(APPEND EMITTER_SOURCES ${CMAKE_SOURCE_DIR}/ir/ops.def ${CMAKE_SOURCE_DIR}/ir/chance.h
  ${CMAKE_SOURCE_DIR}/ir/chance.cpp ${CMAKE_SOURCE_DIR}/runtime/abi.h)
string(REPLACE ";" "|" EMITTER_LIST "${EMITTER_SOURCES}")
add_custom_command(OUTPUT ${EMITTER_HASH_CPP}
  COMMAND ${CMAKE_COMMAND} "-DOUT=${EMITTER_HASH_CPP}" "-DSOURCES=${EMITTER_LIST}"
    -P ${CMAKE_SOURCE_DIR}/cmake/emitter_hash.cmake
  DEPENDS ${EMITTER_SOURCES} ${CMAKE_SOURCE_DIR}/cmake/emitter_hash.cmake VERBATIM)
