# What `cmake --install` puts where, and the Debian package that `cpack` makes of it.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/pipelines DESTINATION ${CMAKE_INSTALL_DATADIR}/flowrun
  FILES_MATCHING PATTERN "*.yaml" PATTERN "*.json" PATTERN "out" EXCLUDE)
# The tables of people and of communes, where the pipelines look for them.
install(FILES ${PROJECT_SOURCE_DIR}/data/users.csv ${PROJECT_SOURCE_DIR}/data/hte-garonne.csv
  DESTINATION ${CMAKE_INSTALL_DATADIR}/flowrun/data)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME flowrun)
set(CPACK_PACKAGE_VENDOR "The flowrun authors")
set(CPACK_PACKAGE_CONTACT "The flowrun authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
# Read from the binary; tzdata is opened at run time.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS tzdata)
include(CPack)
