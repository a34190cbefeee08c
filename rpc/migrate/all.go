package migrate

// All are the migrations, the oldest first. New ones are added at the end; what stands here
// has run somewhere and stays as it is.
var All = []Migration{
	{1, "collections in camel case", renameCollections},
	{2, "events in final words", finishEvents},
	{3, "texts and numbers in normal form", normalizeTexts},
	{4, "wages sealed", sealWages},
}
