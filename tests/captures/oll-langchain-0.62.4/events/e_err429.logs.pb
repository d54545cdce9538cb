
Ö
É
"
telemetry.sdk.language
python
%
telemetry.sdk.name
opentelemetry
!
telemetry.sdk.version
1.45.2
=
service.instance.id&
$808e5631-4d50-4c3a-aebe-842578be6c5b

service.name

captures‡
1
'opentelemetry.instrumentation.langchain0.62.4t*-2+
)
content
You are a helpful assistant.2#
gen_ai.provider.name
	langchainYMºîìƒêbgen_ai.system.message\*2

content
ERR4292#
gen_ai.provider.name
	langchainY+¥ºîìƒêbgen_ai.user.message