# frontend/std.rnn as a string constant in the binary: no file to find at run time.
set(STD_RNN_CPP ${CMAKE_BINARY_DIR}/std_rnn.cpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/frontend/std.rnn)
file(READ ${CMAKE_SOURCE_DIR}/frontend/std.rnn STD_RNN_TEXT)
file(CONFIGURE OUTPUT ${STD_RNN_CPP} CONTENT
  "namespace rnnc {\nextern const char* const kStandardLibrary;\nconst char* const kStandardLibrary = R\"rnn(@STD_RNN_TEXT@)rnn\";\n}\n" @ONLY)
