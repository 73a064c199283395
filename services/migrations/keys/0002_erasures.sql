-- Processes that keep keys in memory ask twice a second which were erased.
CREATE INDEX subjects_erased ON keys.subjects (erased_at) WHERE erased_at IS NOT NULL;
