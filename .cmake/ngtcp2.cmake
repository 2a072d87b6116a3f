# ngtcp2 with GnuTLS as Debian 12 packages them; neither comes with a CMake package file.
find_path(NGTCP2_INCLUDE_DIR ngtcp2/ngtcp2_crypto_gnutls.h REQUIRED)
find_path(GNUTLS_INCLUDE_DIRECTORY gnutls/gnutls.h REQUIRED)
foreach(name ngtcp2 ngtcp2_crypto_gnutls gnutls)
  find_library(QUIC_${name}_LIBRARY NAMES ${name} REQUIRED)
endforeach()
add_library(gnutls::gnutls UNKNOWN IMPORTED)
set_target_properties(gnutls::gnutls PROPERTIES
  IMPORTED_LOCATION "${QUIC_gnutls_LIBRARY}"
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${GNUTLS_INCLUDE_DIRECTORY}")
add_library(ngtcp2::ngtcp2 UNKNOWN IMPORTED)
set_target_properties(ngtcp2::ngtcp2 PROPERTIES
  IMPORTED_LOCATION "${QUIC_ngtcp2_LIBRARY}"
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${NGTCP2_INCLUDE_DIR}")
add_library(ngtcp2::crypto_gnutls UNKNOWN IMPORTED)
set_target_properties(ngtcp2::crypto_gnutls PROPERTIES
  IMPORTED_LOCATION "${QUIC_ngtcp2_crypto_gnutls_LIBRARY}"
  INTERFACE_LINK_LIBRARIES "ngtcp2::ngtcp2;gnutls::gnutls")
