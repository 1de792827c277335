# Libraries, headers, CMake package, pkg-config files and licence. Everything installed can be moved
# to another prefix.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hawser)

# The library of a component is hawser-COMPONENT, that of the core is hawser.
set(components core)
set(modules hawser)
foreach(component blocking deflate loop tls uv)
    if(TARGET hawser-${component})
        list(APPEND components ${component})
        list(APPEND modules hawser-${component})
        install(FILES ${${component}_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hawser)
    endif()
endforeach()
foreach(component library IN ZIP_LISTS components modules)
    install(
        TARGETS ${library}
        EXPORT hawser-${component}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
install(FILES ${core_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hawser)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Each component of the package is an export of its own: the core needs no threads.
foreach(component IN LISTS components)
    install(
        EXPORT hawser-${component}
        FILE hawser-${component}.cmake
        NAMESPACE hawser::
        DESTINATION ${package_dir})
endforeach()
configure_package_config_file(cmake/hawser-config.cmake.in hawser-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(hawser-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hawser-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/hawser-config-version.cmake DESTINATION ${package_dir})

# A .pc file finds the prefix from its own place, and its directories from the prefix.
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(RELATIVE_PATH pc_libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH pc_includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
set(pc_cflags)
if(WIN32 AND BUILD_SHARED_LIBS)
    set(pc_cflags " -DHWS_SHARED")
endif()
set(pc_system_libs ${CMAKE_THREAD_LIBS_INIT})
if(WIN32)
    string(APPEND pc_system_libs " -lws2_32 -lbcrypt")
endif()
foreach(module IN LISTS modules)
    configure_file(cmake/${module}.pc.in ${module}.pc @ONLY)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${module}.pc
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
