/*
 * tests/support/failing_vfs.h - SQLite on a disk that fails when it is told to.
 *
 * Registered as SQLite's default file system, it counts what the databases ask of the disk and
 * makes the n-th of these fail, once or from then on. A test runs its scenario once to learn how
 * many there are, then once for each of them.
 *
 *   thread   one; the count is the process's
 *   source   SQLite, "The OS Interface": sqlite3_vfs and sqlite3_io_methods, version 3
 */
#ifndef TESTS_SUPPORT_FAILING_VFS_H
#define TESTS_SUPPORT_FAILING_VFS_H

#include <stdbool.h>

void failing_vfs_install(void);
/* Operation number n (from 1) fails with this SQLite code; 0: none does. Starts the count anew. */
void failing_vfs_arm(unsigned n, int code, bool stays);
unsigned failing_vfs_count(void);

#endif
