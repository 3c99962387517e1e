# tapedeck_add_plugin(<name> SOURCES <file>... [LINK <library>...])
# Builds <name>.so that exports its entry symbol and nothing else and has no undefined symbol left. Within tapedeck's
# own build it lands in lib/tapedeck/plugins, where the host looks.
function(tapedeck_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
    set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
    add_library(${name} MODULE ${arg_SOURCES})
    set_target_properties(${name} PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden C_VISIBILITY_PRESET hidden
        VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${map})
    target_compile_features(${name} PRIVATE cxx_std_20)
    target_link_libraries(${name} PRIVATE TapedeckSDK::sdk ${arg_LINK})
    target_link_options(${name} PRIVATE -Wl,--version-script=${map})
    if(NOT TAPEDECK_SANITIZE) # the sanitizers' runtime belongs to the host
        target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()
endfunction()
