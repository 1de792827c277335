/*
 * Certificates for the tests of TLS, made by OpenSSL itself, as PEM files in a folder that is gone
 * at the end. Keys are in NAME.key, certificates and the chain behind them in NAME.pem:
 *
 *     ca, other      authorities; they are not related
 *     www            example.com and www.example.com, by an authority below ca
 *     wild           *.example.org and f*.example.net, by ca
 *     exact          a.example.org, by ca
 *     address        127.0.0.1 and ::1, by ca
 *     expired        example.com, by ca, until yesterday
 *     early          example.com, by ca, from tomorrow
 *     self           example.com, by itself
 *     client         for a client, by ca
 *     stranger       for a client, by other
 *     locked         only a key: that of www, encrypted
 */
#ifndef HWS_TESTS_TLS_FILES_H
#define HWS_TESTS_TLS_FILES_H

/* Make the folder and its files; a group setup and teardown of cmocka. */
int tls_files_make(void **state);
int tls_files_remove(void **state);

/* The path of a file in the folder, such as "www.pem". It lives until the next folder; at most
 * 64 names. */
const char *tls_file(const char *name);

#endif
