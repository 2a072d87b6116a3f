# Compiler settings shared by every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")

option(DISTLAB_TESTS "Build the tests and fuzz targets" ON)
option(DISTLAB_SANITIZE "Build with AddressSanitizer and UBSan" OFF)
option(DISTLAB_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(DISTLAB_BENCH "Build the Google Benchmark programs" OFF)

# -ffp-contract=off: gcc and clang must compute the same floating-point values, or the
# trace hash would depend on the compiler (design.md section 10).
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror
                    -ffp-contract=off -fno-omit-frame-pointer)
# No path of this checkout in what is built: ccache can serve one checkout what it kept for another
# (launch.sh), and debuggers find sources from the top of the tree.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(DISTLAB_SANITIZE)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized) # g++ 12 sees ghosts in instrumented std::optional
  endif()
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
if(DISTLAB_FUZZ)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -gline-tables-only") # enough for stack traces, and compiled sooner
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
