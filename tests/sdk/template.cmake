# Installs the SDK, builds examples/plugin-template outside of the tree against it, once by find_package and once by
# pkg-config, and loads both with the host's registry.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        string(REPLACE ";" " " command "${ARGN}")
        message(FATAL_ERROR "${command}\n${output}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --component sdk --prefix ${WORK}/sdk)
file(COPY ${TEMPLATE} DESTINATION ${WORK})
set(source ${WORK}/plugin-template)

run(${CMAKE_COMMAND} -S ${source} -B ${WORK}/build -DCMAKE_PREFIX_PATH=${WORK}/sdk -DCMAKE_CXX_COMPILER=${CXX}
    -DCMAKE_BUILD_TYPE=Release)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${LOADER} ${WORK}/build hook.template)
if(output MATCHES "warning:")
    message(FATAL_ERROR "the template is not clean:\n${output}")
endif()

file(GLOB_RECURSE pc ${WORK}/sdk/*/tapedeck-sdk.pc)
get_filename_component(pc_folder ${pc} DIRECTORY)
run(${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pc_folder} pkg-config --cflags --libs tapedeck-sdk)
separate_arguments(flags UNIX_COMMAND "${output}")
file(MAKE_DIRECTORY ${WORK}/by_hand)
run(${CXX} -std=c++20 -shared -fPIC -fvisibility=hidden "-DPLUGIN_VERSION=\"1.0.0\"" ${source}/template_hook.cpp
    -o ${WORK}/by_hand/hook_template.so ${flags})
run(${LOADER} ${WORK}/by_hand hook.template)
if(output MATCHES "warning:")
    message(FATAL_ERROR "built by pkg-config it is not clean:\n${output}")
endif()
file(REMOVE_RECURSE ${WORK})
