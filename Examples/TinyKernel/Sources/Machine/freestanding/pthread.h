// As much of the header as the tree in C needs; only its variant without a lock is called.
#pragma once
typedef int pthread_mutex_t;
#define pthread_mutex_init(mutex, attributes) ((void)(mutex))
#define pthread_mutex_lock(mutex) ((void)(mutex))
#define pthread_mutex_unlock(mutex) ((void)(mutex))
#define pthread_mutex_destroy(mutex) ((void)(mutex))
