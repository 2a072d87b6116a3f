# ns-3 3.37 as Debian 12 packages it. Its own CMake package file refers to programs of another
# package and fails, so the libraries are found by name (facts: "Build" in the ns-3 notes).
find_path(NS3_INCLUDE_DIR ns3/core-module.h PATH_SUFFIXES ns3.37 REQUIRED)
foreach(module core stats network bridge traffic-control internet point-to-point)
  find_library(NS3_${module}_LIBRARY NAMES ns3-${module} ns3.37-${module} REQUIRED)
  add_library(ns3::${module} UNKNOWN IMPORTED)
  set_target_properties(ns3::${module} PROPERTIES
    IMPORTED_LOCATION "${NS3_${module}_LIBRARY}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${NS3_INCLUDE_DIR}")
endforeach()
set_property(TARGET ns3::stats PROPERTY INTERFACE_LINK_LIBRARIES ns3::core)
set_property(TARGET ns3::network PROPERTY INTERFACE_LINK_LIBRARIES ns3::core ns3::stats)
set_property(TARGET ns3::bridge PROPERTY INTERFACE_LINK_LIBRARIES ns3::network)
set_property(TARGET ns3::traffic-control PROPERTY INTERFACE_LINK_LIBRARIES ns3::network)
set_property(TARGET ns3::internet PROPERTY INTERFACE_LINK_LIBRARIES
             ns3::bridge ns3::traffic-control ns3::network ns3::core)
set_property(TARGET ns3::point-to-point PROPERTY INTERFACE_LINK_LIBRARIES ns3::network)
