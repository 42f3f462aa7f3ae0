#pragma once
#define munmap(address, count) ((void)(address))
