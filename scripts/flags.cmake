# Every compiler flag of the project, in one INTERFACE target, each with its reason.
add_library(sallyport_flags INTERFACE)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON) # clangd, clang-tidy

option(SALLYPORT_WERROR "warnings are errors" OFF)
option(SALLYPORT_FUZZ "build the fuzz targets with libFuzzer (clang)" OFF)
set(SALLYPORT_SANITIZE "" CACHE STRING "sanitizers: address,undefined or thread")
option(SALLYPORT_COVERAGE "count executed lines" OFF)

target_compile_definitions(sallyport_flags INTERFACE
    _GNU_SOURCE                                # openat2, statx, memfd: this is a Linux program
    SALLYPORT_VERSION="${PROJECT_VERSION}")
target_compile_options(sallyport_flags INTERFACE
    -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes
    -Wvla                                      # stack use stays bounded
    -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wno-format-nonliteral
    -fno-strict-aliasing                       # buffers are read through several types
    -fstack-protector-strong
    -fno-omit-frame-pointer                    # perf and core dumps stay readable
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=  # messages show base/err.c, not a home folder
)
target_link_libraries(sallyport_flags INTERFACE Threads::Threads)
target_link_options(sallyport_flags INTERFACE -Wl,-z,relro,-z,now)
set(THREADS_PREFER_PTHREAD_FLAG ON)

if(SALLYPORT_WERROR)
    target_compile_options(sallyport_flags INTERFACE -Werror)
endif()
if(SALLYPORT_SANITIZE)
    target_compile_options(sallyport_flags INTERFACE -fsanitize=${SALLYPORT_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(sallyport_flags INTERFACE -fsanitize=${SALLYPORT_SANITIZE})
else()
    target_compile_definitions(sallyport_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
if(SALLYPORT_COVERAGE)
    target_compile_options(sallyport_flags INTERFACE --coverage)
    target_link_options(sallyport_flags INTERFACE --coverage)
endif()
if(SALLYPORT_FUZZ)
    target_compile_options(sallyport_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
