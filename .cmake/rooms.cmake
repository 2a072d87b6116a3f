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

# distlab_wall_check(NAME FILE...): a target NAME that fails when one of the files crosses a wall.
function(distlab_wall_check name)
  cmake_parse_arguments(ARG "ALL" "" "FILES" ${ARGN})
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${name}.ok")
  add_custom_command(
    OUTPUT "${stamp}"
    COMMAND python3 "${CMAKE_SOURCE_DIR}/.cmake/walls.py" "${CMAKE_SOURCE_DIR}" ${ARG_FILES}
    COMMAND ${CMAKE_COMMAND} -E touch "${stamp}"
    DEPENDS ${ARG_FILES} "${CMAKE_SOURCE_DIR}/.cmake/walls.py"
    COMMENT "Checking ${name}")
  if(ARG_ALL)
    add_custom_target(${name} ALL DEPENDS "${stamp}")
  else()
    add_custom_target(${name} DEPENDS "${stamp}")
  endif()
endfunction()

# The folder of a room is checked before any file of it is compiled.
function(distlab_wall target)
  file(GLOB files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.h" "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  distlab_wall_check(${target}_walls FILES ${files})
  add_dependencies(${target} ${target}_walls)
endfunction()

# The whole tree is checked too: folders of headers only, and files no room lists. Runs last, when
# all targets are known, so that the program itself cannot be built past a broken wall.
function(distlab_walls_of_the_tree)
  set(patterns)
  foreach(room models sim real scenarios results cli)
    foreach(suffix h cc c cpp cxx hh hpp hxx inc inl ipp tcc)
      list(APPEND patterns "${CMAKE_SOURCE_DIR}/${room}/*.${suffix}")
    endforeach()
  endforeach()
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${patterns})
  distlab_wall_check(walls ALL FILES ${files})
  if(TARGET distlab)
    add_dependencies(distlab walls)
  endif()
  if(DISTLAB_TESTS)
    foreach(gate walls launcher)
      add_test(NAME ${gate} COMMAND python3 "${CMAKE_SOURCE_DIR}/.cmake/${gate}_test.py" "${CMAKE_SOURCE_DIR}")
      set_tests_properties(${gate} PROPERTIES TIMEOUT 120 LABELS gate)
    endforeach()
  endif()
endfunction()
cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL distlab_walls_of_the_tree)

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
  target_compile_options(${name}_test PRIVATE -O0) # tests cost more to compile than to run
  add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(DISTLAB_SANITIZE OR DISTLAB_FUZZ) # instrumented code is slower
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 4")
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
