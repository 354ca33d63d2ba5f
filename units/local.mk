# Values as people write them, for the commands; not installed.
noinst_LIBRARIES += libasynwsgi-units.a
libasynwsgi_units_a_CPPFLAGS = $(units_inc)
libasynwsgi_units_a_SOURCES = \
	units/asynwsgi/units.h \
	units/units.c
