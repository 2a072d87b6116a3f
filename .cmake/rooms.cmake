# One CMake target per folder ("room"), and the walls between rooms.
#
#   distlab_room(NAME SOURCES a.cc b.cc DEPS other_room lib::lib)
#       a static library made of this folder's files
#   distlab_tests(NAME SOURCES a_test.cc b_test.cc DEPS ... [LABELS ...] [TIMEOUT s])
#       one GoogleTest program NAME_test, registered with CTest as one test per program
#   distlab_fuzzer(NAME SOURCE x_fuzz.cc CORPUS dir DEPS ...)
#       a libFuzzer program when DISTLAB_FUZZ is on; otherwise a corpus replay test
#
# With DISTLAB_TESTS off the last two do nothing. What only tests need (find_package, helper
# libraries) belongs in an if(DISTLAB_TESTS), or `./distlab run` would install it for everybody.
#
# Includes are written from the top of the tree ("models/host/host.h"). walls.py reads the
# includes of a room before it is compiled and fails the build when one crosses a wall.

function(distlab_wall target)
  get_target_property(sources ${target} SOURCES)
  file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.h" "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${target}.walls")
  add_custom_command(
    OUTPUT "${stamp}"
    COMMAND python3 "${CMAKE_SOURCE_DIR}/.cmake/walls.py" "${CMAKE_SOURCE_DIR}" ${files}
    COMMAND ${CMAKE_COMMAND} -E touch "${stamp}"
    DEPENDS ${files} "${CMAKE_SOURCE_DIR}/.cmake/walls.py"
    COMMENT "Checking the walls of ${target}")
  add_custom_target(${target}_walls DEPENDS "${stamp}")
  add_dependencies(${target} ${target}_walls)
endfunction()

function(distlab_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  distlab_wall(${name})
endfunction()

function(distlab_tests name)
  if(NOT DISTLAB_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${name} ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

function(distlab_fuzzer name)
  if(NOT DISTLAB_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "SOURCE;CORPUS" "DEPS" ${ARGN})
  if(DISTLAB_FUZZ)
    add_executable(${name} ${ARG_SOURCE})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${ARG_SOURCE} "${CMAKE_SOURCE_DIR}/.cmake/fuzz_replay.cc")
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  add_test(NAME ${name} COMMAND ${name} "${ARG_CORPUS}" -runs=0 WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "fuzz" TIMEOUT 120)
endfunction()
