# sallyport_layer(<name> [ON <lower layers...>] [LIBRARIES <imported targets...>] SOURCES <files...>)
#
# A layer may stand only on layers declared before it, so the order of add_subdirectory() calls in
# the root file is the architecture. Sources are listed, never globbed. Sub-folders of a layer add
# their files with target_sources().
function(sallyport_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;ON;LIBRARIES")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "sallyport_layer(${name}): unrecognized '${arg_UNPARSED_ARGUMENTS}'")
    endif()

    add_library(${name} STATIC ${arg_SOURCES})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC sallyport_flags ${arg_LIBRARIES})

    foreach(below IN LISTS arg_ON)
        if(NOT TARGET ${below})
            message(FATAL_ERROR "layer '${name}' stands on '${below}', which is not below it")
        endif()
        target_link_libraries(${name} PUBLIC ${below})
    endforeach()
endfunction()

# sallyport_test(<name> LABEL <label> ON <layers...> SOURCES <files...> [TIMEOUT <seconds>])
#
# One program, one ctest entry, one label. SALLYPORT_BINARY and SALLYPORT_SOURCE_DIR are set for it.
function(sallyport_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;ON;LIBRARIES")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 60)
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE sallyport_flags ${arg_ON} ${arg_LIBRARIES} PkgConfig::CMOCKA)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
        ENVIRONMENT "SALLYPORT_SOURCE_DIR=${PROJECT_SOURCE_DIR};SALLYPORT_BINARY=${PROJECT_BINARY_DIR}/sallyport")
endfunction()

# sallyport_fuzz(<name> ON <layers...> SOURCES <files...> CORPUS <dir>)
#
# In the fuzz preset a libFuzzer program; elsewhere the same target with a driver that runs the
# corpus once (label fuzz), so that every build checks every known input.
function(sallyport_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "SOURCES;ON;LIBRARIES")
    if(SALLYPORT_FUZZ)
        add_executable(${name} ${arg_SOURCES})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${name} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus_main.c)
    endif()
    target_link_libraries(${name} PRIVATE sallyport_flags ${arg_ON} ${arg_LIBRARIES})
    if(SALLYPORT_FUZZ)
        add_test(NAME ${name} COMMAND ${name} -runs=0 ${PROJECT_SOURCE_DIR}/tests/fuzz/${arg_CORPUS})
    else()
        add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${arg_CORPUS})
    endif()
    set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()
