# Writes the commit that is being built into a header; only when it has changed, so that nothing
# is compiled again for nothing.
execute_process(COMMAND git rev-parse --short HEAD WORKING_DIRECTORY "${TOP}" OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit "unknown")
else()
  execute_process(COMMAND git diff --quiet HEAD WORKING_DIRECTORY "${TOP}" RESULT_VARIABLE changed ERROR_QUIET)
  if(changed)
    string(APPEND commit "+")
  endif()
endif()
file(CONFIGURE OUTPUT "${OUT}" CONTENT "#pragma once\n#define DISTLAB_COMMIT \"${commit}\"\n" NEWLINE_STYLE UNIX)
